// Whether two runs fail for the same reason.
#pragma once
#include "sim/run_result.hpp"
#include <cstdint>

namespace troupe {

/// Whether two runs fail for the same reason as far as one can tell: the same verdict, and the same first line of the
/// message but for its numbers.
bool same_failure(const run_result& a, const run_result& b);
/// A number that two runs have in common if they fail for the same reason in that sense, and hardly otherwise.
std::uint64_t cause_of(const run_result& failure);

} // namespace troupe
