// What is told of a failure: its run, the part of it that matters, and the racing pair.
#pragma once
#include "sim/event_record.hpp"
#include "sim/racing_pair.hpp"
#include "sim/tape.hpp"
#include <string>
#include <vector>

namespace troupe {

/// What is to be seen at an entry of a trace.
struct entry_marks {
  bool is_left_out = false;    ///< It cannot have influenced the failure.
  bool is_out_of_turn = false; ///< Another event that happened later had been enabled before it.
  bool is_failing = false;     ///< The run failed during it.
  bool is_racing = false;      ///< One of the racing pair.
};

/// A run with its marks.
struct told_run {
  run_result result;
  std::vector<entry_marks> marks; ///< One per entry of the trace.
};

/// A run, and if it fails why, as far as can be shown.
struct explanation {
  told_run run;
  told_run passing;         ///< The same but for the racing pair, which is swapped; it passed. Meaningful if `is_race`.
  bool is_race = false;     ///< Whether there is a racing pair.
  std::string race;         ///< One line: the racing pair, or plainly that there is none. Empty for a run that passes.
  std::string wakeup;       ///< One line: the lost wakeup (`find_lost_wakeup`); empty if none was found.
  std::size_t left_out = 0; ///< Events of the failing run that are marked as left out, Troupe's own not counted.
};

/// Runs `recorded` again, with its trace, and explains what it leads to. The causal slice (`is_left_out`) keeps what
/// happens before the failing event or one of the racing pair, by messages, by steps of tasks, and through monitors; a
/// run that fails as a whole (a deadlock, an invariant) is kept whole. Memory that actors share in other ways is not
/// seen.
explanation explain(const runner& run, const tape& recorded, const race_options& options = {});

/// The same for a run that was recorded already.
explanation explain(const runner& run, std::uint64_t seed, recorded_run recorded, const race_options& options = {});

} // namespace troupe
