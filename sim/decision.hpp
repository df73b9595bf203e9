// The one question that every source of order answers: which of these next?
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace troupe {

/// What is being decided.
enum class decision_kind : std::uint8_t {
  event,  ///< Which enabled event happens next.
  delay,  ///< How much longer than asked for a timer takes.
  random, ///< A value that the program under test asked for.
};
const char* to_string(decision_kind kind) noexcept;

/// What kind of thing may happen next.
enum class event_kind : std::uint8_t {
  arrival, ///< A message enters a mailbox (or a task a serial lane).
  handle,  ///< An actor handles the first message of its mailbox.
  start,   ///< An actor is initialised.
  step,    ///< A task runs until it suspends or ends.
  timer,   ///< A timer that is due fires.
  value,   ///< Not an event: one of the values of a `delay` or `random` decision.
};
const char* to_string(event_kind kind) noexcept;

/// One enabled event as a strategy sees it.
struct candidate {
  /// Stable identity: a hash of the identity of the event that caused it and of its place among what that one caused.
  /// The same event has the same identity in every schedule. For values: the value.
  std::uint64_t identity = 0;
  event_kind kind = event_kind::value;
  /// Where it happens: the number of the receiving actor, task or lane within the run. Two events with the same place
  /// are dependent.
  std::uint32_t place = 0;
};

/// The enabled events, oldest first: choice 0 at every decision is the `fifo` order.
class candidates {
public:
  virtual std::size_t size() const noexcept = 0;
  /// O(log n) at worst. @pre index < size()
  virtual candidate operator[](std::size_t index) const noexcept = 0;

protected:
  ~candidates() = default;
};

/// A source of order: everything that a search strategy, a replay or a fuzzer's input has to be.
class strategy {
public:
  virtual ~strategy() = default;
  /// Called only when there is a choice: `among.size() >= 2`. @returns an index below `among.size()`.
  virtual std::size_t pick(decision_kind kind, const candidates& among) = 0;
};

/// One decision of a run, as kept on the tape.
struct decision {
  decision_kind kind = decision_kind::event;
  std::uint32_t index = 0;    ///< What was picked.
  std::uint32_t count = 0;    ///< Out of how many, at least 2.
  std::uint64_t identity = 0; ///< The identity of what was picked.
  bool operator==(const decision&) const = default;
};

} // namespace troupe
