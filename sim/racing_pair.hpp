// The racing pair of a failure: the two deliveries at one receiver whose swap makes the run pass.
#pragma once
#include "sim/event_record.hpp"
#include "sim/tape.hpp"
#include <optional>
#include <string>

namespace troupe {

/// How much work the search may be.
struct race_options {
  std::uint64_t max_runs = 400;
  std::uint64_t max_steps = 1'000'000; ///< Over all runs.
};

/// What the search for a racing pair has found.
struct race_report {
  /// The two deliveries, the one that came first in the failing run first.
  struct pair {
    event_name first, second;
    std::size_t first_at = no_entry;  ///< Its place in the failing run's record.
    std::size_t second_at = no_entry; ///< The same; `no_entry` if the run had failed before it came to that.
  };
  std::optional<pair> found;
  recorded_run passing;      ///< The run with the two swapped: it passed. With its trace. Meaningful if `found`.
  std::uint64_t races = 0;   ///< Pairs that could have come in the other order.
  std::uint64_t swapped = 0; ///< Those of them that were run in the other order.
  /// Swaps that were run and led to another failure.
  std::uint64_t other_failures = 0;
  bool is_complete = false;  ///< Every race was tried, or one was found.
  bool is_repeatable = true; ///< Repeating the run gave the same run: without that no swap proves anything.
};

/// Looks for the racing pair of the failing run `failing` of the program. Races are the pairs of deliveries at one
/// receiver of which neither depends on the other: those that could be next to each other first, late ones before early
/// ones. After the deliveries come steps of tasks, which may share memory. Each is tried by running it: everything as
/// recorded, but the first is held back until the second has happened. If none helps, each delivery is put off to the
/// end, since what it should have waited for may not have happened at all when the run failed. A run that ends as
/// `verdict::ok` is the proof.
race_report find_racing_pair(const runner& run, std::uint64_t seed, const recorded_run& failing,
                             const race_options& options = {});

/// The search's outcome in one line: the pair and where, or plainly that there is none, or none yet.
std::string race_text(const race_report& report, const recorded_run& failing);

} // namespace troupe
