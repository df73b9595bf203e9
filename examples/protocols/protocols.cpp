// The set of all protocols.
#include "examples/protocols/protocols.hpp"

namespace protocols {

void add_all(troupe::scenario_set& scenarios) {
  for (auto add : {add_bounded_async, add_bounded_buffer, add_chang_roberts, add_coffee_machine,
                   add_concurrent_dictionary, add_dao, add_failure_detector, add_lost_wakeup, add_multi_paxos, add_raft,
                   add_replicating_storage, add_sleeping_barber, add_sliding_window, add_two_phase_commit})
    add(scenarios);
}

} // namespace protocols
