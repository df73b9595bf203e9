// What is measured on GCD where there is none.
#include "bench/paired.hpp"

namespace troupe::bench {

std::vector<comparison> gcd_comparisons(const workload&) { return {}; }

} // namespace troupe::bench
