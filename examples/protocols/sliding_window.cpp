// A sliding window: frames go over a link that may lose them, a few at a time, until all are acknowledged.
//
// The sender looks at regular times what there is to do (it polls). It sends as many frames as the window allows. If an
// acknowledgement does not come in time a flag is set, and at the next look it sends all frames again that are not
// acknowledged (go-back-N). The receiver acknowledges the last frame that came in its turn.
//
// The mistake: nobody sets the flag. If a frame or an acknowledgement is lost, the sender polls for ever.
#include "examples/protocols/protocols.hpp"
#include "sim/simulator.hpp"
#include <caf/all.hpp>
#include <chrono>
#include <string>

namespace protocols {
namespace {

using namespace std::chrono_literals;

using poll_atom = caf::atom_constant<caf::atom("poll")>;
using late_atom = caf::atom_constant<caf::atom("late")>;
using frame_atom = caf::atom_constant<caf::atom("frame")>;
using ack_atom = caf::atom_constant<caf::atom("ack")>;

constexpr int frames = 3;
constexpr int window = 2;
constexpr int losses_max = 1;
constexpr auto poll_interval = 10ms;
constexpr auto patience = 5ms;

/// Frames come in order, and what is sent is acknowledged some time.
struct transfer : troupe::monitor {
  int received = 0;
  void sends(int frame) { become_hot("frame " + std::to_string(frame) + " is acknowledged"); }
  void receives(int frame) {
    ++received;
    troupe::check(frame == received,
                  "frame " + std::to_string(frame) + " is taken for frame " + std::to_string(received));
  }
  void all_acknowledged() { become_cold(); }
};

struct link_state {
  link_state() = default;
  static inline const char* name = "link";
  int losses = 0;
};

/// Passes frames to the receiver, and acknowledgements back, but for those that it loses.
caf::behavior lossy_link(caf::stateful_actor<link_state>* self, const caf::actor& receiver) {
  const auto is_lost = [=] {
    const bool lost = self->state.losses < losses_max && troupe::choose_bool();
    self->state.losses += lost;
    return lost;
  };
  return {[=](frame_atom, int number) {
    if (is_lost())
      return;
    const auto sender = caf::actor_cast<caf::actor>(self->current_sender());
    self->request(receiver, caf::infinite, frame_atom::value, number).then([=](ack_atom, int last) {
      if (!is_lost())
        self->send(sender, ack_atom::value, last);
    });
  }};
}

struct receiver_state {
  receiver_state() = default;
  static inline const char* name = "receiver";
  int last = 0; ///< That came in its turn.
};

caf::behavior receiver(caf::stateful_actor<receiver_state>* self) {
  return {[=](frame_atom, int number) {
    if (number == self->state.last + 1) {
      ++self->state.last;
      troupe::observe<transfer>().receives(number);
    }
    return caf::make_message(ack_atom::value, self->state.last);
  }};
}

struct sender_state {
  sender_state() = default;
  static inline const char* name = "sender";
  int next = 1;         ///< The frame to send next.
  int acknowledged = 0; ///< All frames up to this one are.
  bool is_timed_out = false;
};

caf::behavior sender(caf::stateful_actor<sender_state>* self, const caf::actor& link, variant which) {
  self->send(self, poll_atom::value);
  return {
      [=](poll_atom) {
        auto& [next, acknowledged, is_timed_out] = self->state;
        if (acknowledged == frames)
          return;
        if (std::exchange(is_timed_out, false))
          next = acknowledged + 1;
        const auto last = std::min(frames, acknowledged + window);
        if (next <= last)
          self->delayed_send(self, patience, late_atom::value, last);
        for (; next <= last; ++next) {
          troupe::observe<transfer>().sends(next);
          self->send(link, frame_atom::value, next);
        }
        self->delayed_send(self, poll_interval, poll_atom::value);
      },
      [=](late_atom, int frame) {
        // The mistake: the flag is never set.
        if (which == variant::fixed && frame > self->state.acknowledged)
          self->state.is_timed_out = true;
      },
      [=](ack_atom, int last) {
        auto& [next, acknowledged, is_timed_out] = self->state;
        acknowledged = std::max(acknowledged, last);
        next = std::max(next, acknowledged + 1);
        if (acknowledged + 1 == next)
          troupe::observe<transfer>().all_acknowledged();
      },
  };
}

void transfer_frames(troupe::simulator& sim, variant which) {
  sim.caf().spawn(sender, sim.caf().spawn(lossy_link, sim.caf().spawn(receiver)), which);
  sim.run_until_rest();
}

} // namespace

void add_sliding_window(troupe::scenario_set& scenarios) {
  add_variants(scenarios, "sliding-window", "the sender waits for a timeout that nobody notes", transfer_frames,
               {.temperature_max = 40});
}

} // namespace protocols
