// The GCD dispatcher keeps the contract.
#include "tests/contracts/dispatcher_contract.hpp"
#include "tests/gcd/gcd_backend.hpp"

namespace troupe::test {
using gcd_of_two = gcd_backend<2>;
using gcd_of_four = gcd_backend<4>;
} // namespace troupe::test

TYPE_TO_STRING(troupe::test::gcd_of_two);
TYPE_TO_STRING(troupe::test::gcd_of_four);

namespace troupe::test {

TROUPE_DISPATCHER_CONTRACT(gcd_of_two);
TROUPE_DISPATCHER_CONTRACT(gcd_of_four);

} // namespace troupe::test
