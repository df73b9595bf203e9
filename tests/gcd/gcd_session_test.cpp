// Sessions on the GCD dispatcher keep the contracts.
#include "tests/contracts/ownership_contract.hpp"
#include "tests/contracts/session_contract.hpp"
#include "tests/contracts/supervision_contract.hpp"
#include "tests/gcd/gcd_sessions.hpp"

namespace troupe::test {

TROUPE_SESSION_CONTRACT(gcd_sessions);
TROUPE_OWNERSHIP_CONTRACT(gcd_sessions);
TROUPE_SUPERVISION_CONTRACT(gcd_sessions);

} // namespace troupe::test
