// Sessions in the simulator keep the same contract, whatever the order of events.
#include "tests/contracts/ownership_contract.hpp"
#include "tests/contracts/session_contract.hpp"
#include "tests/sessions/sim_sessions.hpp"

namespace troupe::test {

TROUPE_SESSION_CONTRACT(sim_sessions);
TROUPE_OWNERSHIP_CONTRACT(sim_sessions);

} // namespace troupe::test
