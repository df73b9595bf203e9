// Stands in for other processes where there are none.
#include "sim/explore_workers.hpp"

namespace troupe {

unsigned most_jobs() noexcept { return 1; }

schedule_records explore_in_workers(const runner& run, const strategy_factory& make, const explore_options& options) {
  return explore_here(run, make, options);
}

bool can_watch_processes() noexcept { return false; }
bool can_limit_memory() noexcept { return false; }
std::uint64_t memory_in_use() noexcept { return 0; }

std::optional<std::string> call_apart(const std::function<std::string()>& body) { return body(); }

process_end call_watched(const std::function<int()>& body, const run_limits&) { return {body(), {}}; }

} // namespace troupe
