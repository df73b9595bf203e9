// Exploration: many seeds, and the failures among them by their causes.
#pragma once
#include "sim/runner.hpp"
#include "sim/watched_process.hpp"
#include <optional>
#include <string>
#include <vector>

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
  /// How many failing schedules to find before it stops. @pre failures > 0
  std::uint64_t failures = 1;
  /// Each schedule is run twice, the second time from its tape: a difference is a failure, `verdict::nondeterminism`.
  bool checks_determinism = false;
  /// For the worker processes. A run beyond them is a failure, `verdict::hung` or `verdict::out_of_memory`.
  run_limits limits = {};
};

/// Failing schedules that fail for the same reason as far as one can tell: the same verdict, and the same first line of
/// the message but for its numbers.
struct failure_cause {
  std::uint64_t seed = 0;  ///< The lowest that fails so.
  std::uint64_t count = 0; ///< Schedules that fail so, of those that were run.
  /// True: the process that ran it was lost. `failure` then has a verdict and a message, and nothing else.
  bool is_lost = false;
  std::optional<unfinished_run> unfinished = {}; ///< What is known of a lost run that is lost each time.
  run_result failure = {};                       ///< Of that seed, with its trace and tape.
};

/// What trying them has shown.
struct explore_result {
  /// Counts are of the schedules from the first seed up to the last failure that was asked for, or the last seed; both
  /// included.
  std::uint64_t schedules = 0;
  std::uint64_t failures = 0; ///< Failing ones among them.
  std::uint64_t steps = 0;
  std::uint64_t distinct_traces = 0; ///< Different `run_result::outcome_hash`.
  double seconds = 0;
  double schedules_per_second = 0; ///< Of all processes together, what they ran beyond the last failure included.
  /// An exhaustive search has run every schedule and seen no failure: there is none within the model and the bound on
  /// steps, as far as the program is deterministic.
  bool is_proven = false;
  /// An exhaustive search has come to its end, but proves nothing: see `strategy_factory::proves_nothing`.
  bool is_inconclusive = false;
  /// For exhaustive searches the share that has been covered, in [0, 1], as far as is known.
  std::optional<double> covered;
  std::vector<failure_cause> causes; ///< By their lowest seeds.
  // -- of the first cause --
  std::optional<std::uint64_t> failing_seed; ///< The lowest seed that fails.
  bool is_lost = false;
  run_result failure; ///< Meaningful if `failing_seed`.
};

/// Runs `run` under each seed until as many as asked for have failed. The first seed's schedule, and the first one of
/// each cause, are run twice more: `verdict::nondeterminism` if they differ.
/// @throws std::system_error if worker processes cannot be had.
explore_result explore(const runner& run, const strategy_factory& make, const explore_options& options);

} // namespace troupe
