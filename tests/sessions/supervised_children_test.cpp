// Children are started again on every dispatcher.
#include "tests/contracts/supervision_contract.hpp"
#include "tests/sessions/asio_sessions.hpp"
#include "tests/sessions/sim_sessions.hpp"

namespace troupe::test {

TROUPE_SUPERVISION_CONTRACT(asio_sessions);
TROUPE_SUPERVISION_CONTRACT(sim_sessions);

} // namespace troupe::test
