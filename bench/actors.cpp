// CAF actors on Troupe's host, against the same actors on CAF's own work-stealing scheduler.
#include "bench/on_dispatcher.hpp"
#include "platform/asio_dispatcher.hpp"

namespace troupe::bench {

std::vector<comparison> actor_comparisons(const workload& load) {
  return hosted_actors([] { return platform::make_asio_dispatcher({.thread_count = threads}); }, "", "actors", 1.2,
                       load);
}

} // namespace troupe::bench
