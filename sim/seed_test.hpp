// Tests that run under many seeds: the parts that do not depend on a test framework.
#pragma once
#include "sim/report.hpp"
#include "sim/runner.hpp"
#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

/// The seeds first, first + 1, ..., first + count - 1.
struct seed_range {
  std::uint64_t first = 0;
  std::uint64_t count = 1;
};

/// What the environment asks for: SEED is the first seed, ITERATIONS how many; what it does not say is `fallback`'s,
/// but for SEED alone, which means that one seed.
/// @returns nothing if a variable is not a number or out of range; `error` then says so in one line.
std::optional<seed_range> seeds_from_environment(seed_range fallback, std::string& error);

/// What a command line starts with so that the tests of its program run under that seed alone.
std::string one_seed_prefix(std::uint64_t seed);

/// Explains the failure of `run` under `facts.seed` of the `random` strategy: runs it again, shrinks it, looks for the
/// racing pair, and draws the chart. A run that does not fail again, or differently, is reported as `nondeterminism`.
/// If TROUPE_REPORT in the environment names a file, a report goes there, in the format that its name ends in, or as a
/// page.
std::string explain_failure(const runner& run, const report_facts& facts, const run_result& failure);

} // namespace troupe
