// Shrinking: from a failing schedule to one that fails the same way with few decisions off the default order.
#pragma once
#include "sim/runner.hpp"
#include "sim/tape.hpp"

namespace troupe {

/// How much work shrinking may be. Counted rather than timed, so that the same failure always shrinks to the same run.
struct shrink_options {
  std::uint64_t max_runs = 10'000;     ///< Runs to spend at most.
  std::uint64_t max_steps = 1'000'000; ///< Events to spend at most, over all runs: a second or two.
};

/// The smallest failing run that was found, and what finding it took.
struct shrink_result {
  bool reproduced = false; ///< False: the tape led to no failure, and `shortest` is what it was.
  tape shortest;           ///< Replays to `run` exactly.
  run_result run;          ///< The run of `shortest`, with its trace.
  std::uint64_t runs = 0;  ///< Runs spent.
  std::uint64_t deliveries_before = 0;
  std::uint64_t deliveries_after = 0;
  std::uint64_t deviations_before = 0;
  std::uint64_t deviations_after = 0;
};

/// Delta debugging (ddmin, Zeller and Hildebrandt 2002), first over the decisions that are not choice 0, then over the
/// events themselves: what the failure does without is held back until after it, that is, it does not happen at all; or
/// it is left out, and what comes instead stands for what came later. Of all failing runs that it meets it keeps the
/// one with the fewest faults, then deliveries, then decisions that are not choice 0. What it does depends on nothing
/// but its arguments and the program.
shrink_result shrink(const runner& run, const tape& failing, const shrink_options& options = {});

} // namespace troupe
