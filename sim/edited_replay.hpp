// Replay of a tape in a program that has been edited since it was recorded.
#pragma once
#include "sim/event_record.hpp"
#include "sim/tape.hpp"
#include <string>
#include <vector>

namespace troupe {

/// A run that follows a tape as far as the program still does the same.
struct edited_replay {
  recorded_run run;             ///< With its trace.
  bool is_same_failure = false; ///< It ends as the tape did.
  std::size_t known = 0;        ///< Events of the run that are on the tape.
  std::size_t unknown = 0;      ///< Those that are not.
  std::size_t missing = 0;      ///< Events on the tape that did not happen.
  std::vector<std::string>
      participants; ///< Actors and tasks that are not on the tape, by name, Troupe's own not counted.
};

/// Runs the program in the order of `recorded.order`. An event's identity follows from the number of its cause's
/// effects before it, so an added spawn or send changes the identities of much that comes after. Participants are
/// therefore matched by who made them and by what they get and send, in the order of their birth, and events by kind,
/// sender, receiver and content. What is new happens while the tape waits for something that is not there yet, and
/// after it. `first` is any run of the edited program, to learn its participants from; each round that does not end as
/// the tape did teaches the next one more. @pre the tape has an order
edited_replay replay_edited(const runner& run, const tape& recorded, recorded_run first, unsigned rounds = 4);

} // namespace troupe
