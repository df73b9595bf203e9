// Sessions in the simulator keep the same contract, whatever the order of events.
#include "tests/contracts/session_contract.hpp"
#include "tests/sessions/sim_sessions.hpp"

namespace troupe::test {

TROUPE_SESSION_CONTRACT(sim_sessions);

} // namespace troupe::test
