// The set of all protocols.
#include "examples/protocols/protocols.hpp"

namespace protocols {

void add_all(troupe::scenario_set& scenarios) {
  for (auto add : {add_failure_detector, add_raft, add_two_phase_commit})
    add(scenarios);
}

} // namespace protocols
