// Sessions on the Asio dispatcher keep the contract, and what only threads can show.
#include "tests/contracts/session_contract.hpp"

namespace troupe::test {

struct asio_sessions {
  troupe::system& sys() noexcept { return system_; }

private:
  troupe::system system_{{.background_threads = 2}};
};
} // namespace troupe::test

TYPE_TO_STRING(troupe::test::asio_sessions);

namespace troupe::test {

TROUPE_SESSION_CONTRACT(asio_sessions);

} // namespace troupe::test
