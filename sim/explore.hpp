// Exploration: many seeds, the first failure among them.
#pragma once
#include "sim/runner.hpp"
#include <optional>
#include <string>

namespace troupe {

/// Which seeds are tried, and how.
struct explore_options {
  std::uint64_t first_seed = 0;
  /// How many seeds. @pre seeds > 0, and first_seed + seeds - 1 does not overflow
  std::uint64_t seeds = 1'000;
  /// Worker processes, so that a program under test that crashes is a failure with a seed like any other. 0: no other
  /// process, all in this one. With workers the calling process must have one thread only. What is found does not
  /// depend on this number.
  unsigned jobs = 0;
};

/// What trying them has shown.
struct explore_result {
  /// Counts are of the schedules from the first seed up to the first failure or the last seed, both included.
  std::uint64_t schedules = 0;
  std::uint64_t failures = 0; ///< 0 or 1: exploration stops at the failure of the lowest seed.
  std::uint64_t steps = 0;
  std::uint64_t distinct_traces = 0; ///< Different `run_result::outcome_hash`.
  double seconds = 0;
  double schedules_per_second = 0; ///< Of all processes together, what they ran beyond the first failure included.
  /// An exhaustive search has run every schedule and seen no failure: there is none within the model and the bound on
  /// steps, as far as the program is deterministic.
  bool is_proven = false;
  /// For exhaustive searches the share that has been covered, in [0, 1], as far as is known.
  std::optional<double> covered;
  std::optional<std::uint64_t> failing_seed;
  /// True: the program under test ended its process. `failure` then has a message and nothing else.
  bool is_crash = false;
  run_result failure; ///< With its trace and tape. Meaningful if `failing_seed`.
};

/// Runs `run` under each seed, stopping at the first failure. The first seed's schedule and the failing one are run
/// twice: `verdict::nondeterminism` if they differ.
/// @throws std::system_error if worker processes cannot be had.
explore_result explore(const runner& run, const strategy_factory& make, const explore_options& options);

} // namespace troupe
