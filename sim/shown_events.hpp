// The entries of a trace as people are shown them: who sent what to whom, in words.
#pragma once
#include "sim/event_record.hpp"
#include "sim/explanation.hpp"
#include <string>
#include <vector>

namespace troupe {

/// One entry of a trace.
struct shown_event {
  std::size_t number = 0; ///< Its place in the trace, from 1.
  event_kind kind = event_kind::step;
  std::string from; ///< Where its cause happened; `to` if it has none that is known.
  std::string to;
  std::string label;            ///< A message as a call, what a task does in a word.
  std::string what;             ///< The message or label as it is in the trace.
  platform::duration time = {}; ///< Virtual, since the run began.
  std::size_t cause = no_entry; ///< Place of its cause in the trace, from 0.
  entry_marks marks;            ///< What is marked at a message's arrival is marked at its handling too.
  bool is_internal = false;     ///< Troupe's own bookkeeping, or caused by that.
  bool is_hidden = false;       ///< Internal, or an arrival, which goes without saying once the message is handled.
};

/// One per entry of the trace.
std::vector<shown_event> shown_events(const told_run& told);

/// A message as CAF prints it, a tuple, as a call: "('reserve', 2)" as "reserve(2)", "(order{1})" as "order{1}".
std::string message_text(const std::string& tuple);

} // namespace troupe
