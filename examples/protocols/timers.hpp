// Timers as actors: their time is up when the schedule says so, and so may be early, late, or amid a cancellation.
#pragma once
#include "sim/actor_state.hpp"
#include "sim/specification.hpp"
#include <caf/all.hpp>
#include <string>
#include <utility>

namespace protocols {

using start_atom = caf::atom_constant<caf::atom("start")>;
using elapse_atom = caf::atom_constant<caf::atom("elapse")>;
using cancel_atom = caf::atom_constant<caf::atom("cancel")>;
using timeout_atom = caf::atom_constant<caf::atom("timeout")>;
using cancelled_atom = caf::atom_constant<caf::atom("cancelled")>;
using too_late_atom = caf::atom_constant<caf::atom("too_late")>;

struct timer_state {
  explicit timer_state(caf::event_based_actor*) {}
  static inline const char* name = "timer";
  int rung = 0;      ///< The last start that it has rung for,
  int cancelled = 0; ///< and the last one that was cancelled.
  caf::actor owner;  ///< Whom a plain timer rings for.
};
inline std::string to_string(const timer_state& x) {
  return "has rung for start " + std::to_string(x.rung) + ", cancelled " + std::to_string(x.cancelled);
}

/// What a timer does when it is cancelled.
inline void cancel(caf::stateful_actor<timer_state>* self, int start) {
  const auto owner = caf::actor_cast<caf::actor>(self->current_sender());
  if (start <= self->state.rung) {
    self->send(owner, too_late_atom::value);
    return;
  }
  self->state.cancelled = start;
  if (troupe::choose_bool()) {
    self->send(owner, too_late_atom::value);
    self->send(owner, timeout_atom::value);
  } else {
    self->send(owner, cancelled_atom::value);
  }
}

/// Sends `timeout` to who has started it when its turn comes, sooner or later. A `cancel` overtakes the `start` if that
/// still waits for its turn. It is answered by `cancelled` or `too_late`: whoever takes back a timer that is about to
/// ring gets its timeout all the same.
inline caf::behavior timer(caf::stateful_actor<timer_state>* self) {
  troupe::expose_state(self);
  return {
      [self](start_atom, int start) {
        if (start <= self->state.cancelled)
          return;
        self->state.rung = start;
        self->send(caf::actor_cast<caf::actor>(self->current_sender()), timeout_atom::value);
      },
      [self](cancel_atom, int start) { cancel(self, start); },
  };
}

/// The same without a message that overtakes another, so that `dpor` tries every order: time passes as a message of the
/// timer to itself.
inline caf::behavior plain_timer(caf::stateful_actor<timer_state>* self) {
  troupe::expose_state(self);
  return {[self](start_atom, int start) {
            self->state.owner = caf::actor_cast<caf::actor>(self->current_sender());
            self->send(self, elapse_atom::value, start);
          },
          [self](elapse_atom, int start) {
            if (start <= self->state.cancelled)
              return;
            self->state.rung = start;
            self->send(self->state.owner, timeout_atom::value);
          },
          [self](cancel_atom, int start) { cancel(self, start); }};
}

/// A timer as its owner sees it. It is started again only after it has rung or was cancelled.
struct owned_timer {
  void start(caf::event_based_actor* self) { self->send(actor, start_atom::value, ++starts); }
  void cancel(caf::event_based_actor* self) {
    if (is_plain)
      self->send(actor, cancel_atom::value, starts);
    else
      self->send<caf::message_priority::high>(actor, cancel_atom::value, starts);
  }

  caf::actor actor;
  bool is_plain = false; ///< A `plain_timer`.
  int starts = 0;
};

} // namespace protocols
