// Stands in for worker processes where there are none.
#include "sim/explore_workers.hpp"

namespace troupe {

unsigned most_jobs() noexcept { return 1; }

schedule_records explore_in_workers(const runner& run, const strategy_factory& make, const explore_options& options) {
  return explore_here(run, make, options);
}

} // namespace troupe
