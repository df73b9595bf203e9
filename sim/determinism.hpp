// The check that a program does the same when the same is decided.
#pragma once
#include "sim/runner.hpp"
#include <string>

namespace troupe {

/// Runs `seed` twice, with its trace: as `order` decides, and again from the tape of that. @returns the first run, or
/// if the second did something else, the second with `verdict::nondeterminism` and a message that names the first event
/// that differs.
run_result run_twice(const runner& run, std::uint64_t seed, strategy& order);

/// Names the first event in which two traces differ, in one or more lines; empty if none does.
std::string first_difference(const std::vector<trace_entry>& a, const std::vector<trace_entry>& b);

} // namespace troupe
