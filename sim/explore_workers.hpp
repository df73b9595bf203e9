// Spreads seeds over worker processes.
#pragma once
#include "sim/explore.hpp"
#include <map>
#include <vector>

namespace troupe {

/// What exploration keeps of one schedule.
struct schedule_record {
  std::uint64_t distance = 0; ///< From the first seed.
  std::uint64_t outcome_hash = 0;
  std::uint64_t trace_hash = 0;
  std::uint64_t steps = 0;
  std::uint64_t cause = 0; ///< Of a failure: tells causes apart.
  double covered = 0;      ///< By an exhaustive search, this schedule included.
  verdict end = verdict::ok;
  bool is_last = false;        ///< Not a schedule: an exhaustive search has none left.
  bool proves_nothing = false; ///< See `strategy_factory::proves_nothing`; of this and the earlier schedules.
};

struct schedule_records {
  /// By distance from the first seed, up to the last failure that was asked for; without those that were lost.
  std::vector<schedule_record> in_order;
  /// Schedules whose process was lost, by their distance.
  std::map<std::uint64_t, process_loss> lost;
  std::uint64_t executed = 0;   ///< Schedules run in all.
  bool is_exhausted = false;    ///< There were no more.
  bool is_inconclusive = false; ///< The same, but it proves nothing.
};

/// Runs one schedule and keeps what matters of it.
schedule_record run_schedule(const runner& run, const strategy_factory& make, const explore_options& options,
                             std::uint64_t distance);

/// Runs all seeds in this process.
schedule_records explore_here(const runner& run, const strategy_factory& make, const explore_options& options);
/// How many worker processes can be had: 1 where a program is alone and `explore_in_workers` runs all seeds in it.
unsigned most_jobs() noexcept;
/// Runs them in `options.jobs` processes, each lane of the strategy in one. A lane ends with a schedule that is lost:
/// those after it would build upon it.
schedule_records explore_in_workers(const runner& run, const strategy_factory& make, const explore_options& options);

} // namespace troupe
