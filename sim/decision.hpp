// The one question that every source of order answers: which of these next?
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace troupe {

/// What is being decided.
enum class decision_kind : std::uint8_t {
  event,  ///< Which enabled event happens next.
  delay,  ///< How much longer than asked for a timer takes.
  random, ///< A value that the program under test asked for.
  fault,  ///< Whether something goes wrong here, and what. Choice 0: nothing.
};
const char* to_string(decision_kind kind) noexcept;

/// What kind of thing may happen next.
enum class event_kind : std::uint8_t {
  arrival, ///< A message enters a mailbox (or a task a serial lane).
  handle,  ///< An actor handles the first message of its mailbox.
  start,   ///< An actor is initialised.
  step,    ///< A task runs until it suspends or ends.
  timer,   ///< A timer that is due fires.
  fault,   ///< Something goes wrong, or is well again.
  value,   ///< Not an event: one of the values of a `delay`, `random` or `fault` decision.
};
const char* to_string(event_kind kind) noexcept;

/// One enabled event as a strategy sees it.
struct candidate {
  /// Stable identity: a hash of the identity of the event that caused it and of its place among what that one caused.
  /// The same event has the same identity in every schedule. For values: the value; `parent` and `place` then say which
  /// event asks for it.
  std::uint64_t identity = 0;
  event_kind kind = event_kind::value;
  /// Where it happens: the receiving actor, the task or the lane, by an identity that is the same in every schedule.
  /// Two events with the same place are dependent, but for the handling of a message and the arrival of others behind
  /// it.
  std::uint64_t place = 0;
  /// Whose turn it is: for an arrival whatever keeps it in order with others (the sender; between nodes the channel
  /// from the sender to the receiver, or the message itself if there is no order), else the place.
  std::uint64_t actor = 0;
  /// Identity of the event that caused it; 0 for the test itself.
  std::uint64_t parent = 0;
  /// Names it for as long as it is enabled.
  const void* key = nullptr;
  /// For messages: the type of their content, a number that is the same in every run of one build of the program. For
  /// values: the state of whoever asks, as it was before the present event, and what that one is about; only if the
  /// strategy wants states.
  std::uint64_t content = 0;
  /// Whether it may touch what others touch without a message: a task's step or answer, a timer, Troupe's own actors.
  bool shares_memory = false;
  /// All of the first `after` events of the run are in its past, whoever caused it: it was caused by somebody who had
  /// waited, the test itself above all.
  std::uint64_t after = 0;
  /// For arrivals: of urgent mail, which overtakes what waits in the mailbox. For handling: of mail that does.
  bool is_urgent = false;
  /// For the handling of urgent mail: the message that would be handled in its place, had it not come; 0 for none.
  std::uint64_t overtaken = 0;
};

/// The enabled events, oldest first: choice 0 at every decision is the `fifo` order.
class candidates {
public:
  virtual std::size_t size() const noexcept = 0;
  /// O(log n) at worst. @pre index < size()
  virtual candidate operator[](std::size_t index) const noexcept = 0;
  /// Where the candidate called `key` stands. @pre it is one of these
  virtual std::size_t index_of(const void* key) const noexcept {
    std::size_t index = 0;
    while ((*this)[index].key != key)
      ++index;
    return index;
  }

protected:
  ~candidates() = default;
};

struct run_result;
enum class order_model : std::uint8_t;

/// A source of order: everything that a search strategy, a replay or a fuzzer's input has to be.
class strategy {
public:
  virtual ~strategy() = default;
  /// Called only when there is a choice: `among.size() >= 2`. @returns an index below `among.size()`.
  virtual std::size_t pick(decision_kind kind, const candidates& among) = 0;

  /// Fills `next` with what it would pick from the next decisions if each had `count` candidates, so that those events
  /// are at hand by then. Only a guess, which changes nothing. @returns false if it does not know
  virtual bool foresees(std::size_t count, std::span<std::size_t> next) const noexcept {
    static_cast<void>(count);
    static_cast<void>(next);
    return false;
  }

  /// The order model that this schedule is for, if it wants another one than was chosen; asked once, before the run. It
  /// must be a subset of the chosen one.
  virtual std::optional<order_model> wanted_model() const noexcept { return std::nullopt; }
  /// Whether it has on record what came in from outside, too: then it is asked for that, and not the source.
  virtual bool repeats_input() const noexcept { return false; }
  /// Whether decisions about faults are its own: as of searches, which try them all, and replays. If not, the engine
  /// makes them, so that faults are spread over the run instead of happening at the first opportunities. Asked once,
  /// before the run.
  virtual bool decides_faults() const noexcept { return true; }
  /// The run begins, in this model.
  virtual void begins(order_model model) { static_cast<void>(model); }
  /// Whether it wants the state of the program with each pick of an event; asked once, before the run.
  virtual bool wants_state() const noexcept { return false; }
  /// The program's state, just before a pick of an event and at the end of the run: a hash of what its actors expose
  /// (sim/actor_state.hpp; of others: the type of their last message) and of what waits in mailboxes, by type.
  virtual void state_is(std::uint64_t hash) { static_cast<void>(hash); }
  /// Whether a random walk may take its place after some time, so that the rest of the run is fair; see
  /// `simulation_options::temperature_max`.
  virtual bool yields() const noexcept { return false; }
  /// Whether it wants to hear of every event by what follows; asked once, before the run.
  virtual bool is_watching() const noexcept { return false; }
  /// From now on the event can happen.
  virtual void enabled(const candidate& event) { static_cast<void>(event); }
  /// The event cannot happen any more: a timer was cancelled, or its turn was taken by urgent mail.
  virtual void withdrawn(const candidate& event) { static_cast<void>(event); }
  /// The event happens now, picked or without a choice; what it causes is told of next.
  virtual void happened(const candidate& event) { static_cast<void>(event); }
  /// The present event has put `message`, or work, into the mailbox or lane `place` at once (in the `atomic` model).
  virtual void delivered(std::uint64_t place, std::uint64_t message, bool is_urgent) {
    static_cast<void>(place);
    static_cast<void>(message);
    static_cast<void>(is_urgent);
  }
  /// The present event, or a fault during it, has changed what happens at `place` from now on.
  virtual void touched(std::uint64_t place) { static_cast<void>(place); }
  /// The present event sends or brings a message to `place` that enters nothing, as whoever was there has crashed.
  virtual void missed(std::uint64_t place) { static_cast<void>(place); }
  /// Whether `attached` and `died` are told of. Asked once, before the run.
  virtual bool wants_lives() const noexcept { return false; }
  /// In the present event somebody has begun or ceased to look at whether the actor at `place` lives: monitors, links.
  virtual void attached(std::uint64_t place) { static_cast<void>(place); }
  /// The present event was the last one of the actor at `place`.
  virtual void died(std::uint64_t place) { static_cast<void>(place); }
  /// The present event has changed what happens from now on, nobody knows where.
  virtual void touched_all() {}
  /// The event `parent` could have met a fault here, had the budget for it not been spent; `key` is what the identity
  /// of choice 0 would have been.
  virtual void spent(std::uint64_t key, std::uint64_t parent) {
    static_cast<void>(key);
    static_cast<void>(parent);
  }
  /// Whether the rest of the run is of no interest: it ends here then, as at a limit of events that is no failure.
  /// Asked before each event, if it is watching.
  virtual bool has_enough() const noexcept { return false; }
  /// Nothing could happen any more, and the clock has moved on.
  virtual void time_passed() {}
  /// The run has ended; called before it is taken down.
  virtual void ended(const run_result& result) { static_cast<void>(result); }
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
