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
using elapse_atom = caf::atom_constant<caf::atom("elapse")>;
using timeout_atom = caf::atom_constant<caf::atom("timeout")>;
using cancelled_atom = caf::atom_constant<caf::atom("cancelled")>;
using too_late_atom = caf::atom_constant<caf::atom("too_late")>;

struct timer_state {
  explicit timer_state(caf::event_based_actor*) {}
  static inline const char* name = "timer";
  caf::actor owner;
  bool is_running = false;
  int starts = 0;
};
inline std::string to_string(const timer_state& x) {
  return (x.is_running ? "runs, start " : "rests, start ") + std::to_string(x.starts);
}

/// Sends `timeout`, some time after it was started, to who has started it. `cancel` is answered by `cancelled` or
/// `too_late`: whoever takes back a timer that is about to ring gets its timeout all the same. Written to by
/// `start_timer` and `cancel_timer`, since a request comes before the passing of time.
inline caf::behavior timer(caf::stateful_actor<timer_state>* self) {
  troupe::expose_state(self);
  return {
      [self](start_atom) {
        auto& state = self->state;
        if (std::exchange(state.is_running, true))
          return;
        state.owner = caf::actor_cast<caf::actor>(self->current_sender());
        self->send(self, elapse_atom::value, ++state.starts);
      },
      [self](elapse_atom, int start) {
        auto& state = self->state;
        if (start == state.starts && std::exchange(state.is_running, false))
          self->send(state.owner, timeout_atom::value);
      },
      [self](cancel_atom) {
        auto& state = self->state;
        const auto owner = caf::actor_cast<caf::actor>(self->current_sender());
        if (!std::exchange(state.is_running, false)) {
          self->send(owner, too_late_atom::value);
        } else if (troupe::choose_bool()) {
          self->send(owner, too_late_atom::value);
          self->send(owner, timeout_atom::value);
        } else {
          self->send(owner, cancelled_atom::value);
        }
      },
  };
}

inline void start_timer(caf::event_based_actor* self, const caf::actor& timer) {
  self->send<caf::message_priority::high>(timer, start_atom::value);
}

inline void cancel_timer(caf::event_based_actor* self, const caf::actor& timer) {
  self->send<caf::message_priority::high>(timer, cancel_atom::value);
}

} // namespace protocols
