// Children are started again in every order of events.
#include "tests/contracts/supervision_contract.hpp"
#include "tests/sessions/sim_sessions.hpp"

namespace troupe::test {

TROUPE_SUPERVISION_CONTRACT(sim_sessions);

} // namespace troupe::test
