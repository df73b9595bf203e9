// Timers as actors: their time is up when the schedule says so, and so may be early, late, or amid a cancellation.
#pragma once
#include "sim/actor_state.hpp"
#include "sim/specification.hpp"
#include <caf/all.hpp>
#include <string>
#include <utility>

namespace protocols {

using start_atom = caf::atom_constant<caf::atom("start")>;
using cancel_atom = caf::atom_constant<caf::atom("cancel")>;
using timeout_atom = caf::atom_constant<caf::atom("timeout")>;
using cancelled_atom = caf::atom_constant<caf::atom("cancelled")>;
using too_late_atom = caf::atom_constant<caf::atom("too_late")>;

struct timer_state {
  explicit timer_state(caf::event_based_actor*) {}
  static inline const char* name = "timer";
  int rung = 0;      ///< The last start that it has rung for,
  int cancelled = 0; ///< and the last one that was cancelled.
};
inline std::string to_string(const timer_state& x) {
  return "has rung for start " + std::to_string(x.rung) + ", cancelled " + std::to_string(x.cancelled);
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
      [self](cancel_atom, int start) {
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
      },
  };
}

/// A timer as its owner sees it. It is started again only after it has rung or was cancelled.
struct owned_timer {
  void start(caf::event_based_actor* self) { self->send(actor, start_atom::value, ++starts); }
  void cancel(caf::event_based_actor* self) {
    self->send<caf::message_priority::high>(actor, cancel_atom::value, starts);
  }

  caf::actor actor;
  int starts = 0;
};

} // namespace protocols
