// A failure detector that pings two nodes, round by round, and takes those that do not answer in time for dead.
//
// A round has two attempts: ping whoever has not answered yet, and wait until all have or a timer rings. When all have
// answered the detector takes the timer back, which may fail: a timer that is about to ring rings all the same. Between
// two rounds it rests, and takes no notice of pongs.
//
// The mistake: a pong counts for whatever round it comes in. A node that is pinged twice in a round and answers once is
// alive, and its second answer, if it comes late, answers for the next round. So its pings pile up, one a round.
// It shows if a node is slow, but not too slow, twice in a row: it answers one ping after the second attempt of round
// one, another one after the second attempt of round two, and none before the second attempt of round three.
//
// After the sample of the language P, and of P#: Desai et al., "Systematic Testing of Asynchronous Reactive Systems"
// (FSE 2015).
#include "examples/protocols/protocols.hpp"
#include "examples/protocols/timers.hpp"
#include "sim/simulator.hpp"
#include <array>
#include <bitset>

namespace protocols {
namespace {

using ping_atom = caf::atom_constant<caf::atom("ping")>;
using halt_atom = caf::atom_constant<caf::atom("halt")>;
using pong_atom = caf::atom_constant<caf::atom("pong")>;

constexpr std::size_t node_count = 2;
constexpr int rounds_max = 5;
constexpr int attempts_max = 2;
constexpr int pending_max = 3;

/// The rule: no node is sent a ping while it has three to answer.
struct pending_pings : troupe::monitor {
  std::array<int, node_count> pending = {};

  void sent(std::size_t node) {
    troupe::check(++pending[node] <= pending_max,
                  "node " + std::to_string(node) + " has been sent a ping while it has 3 to answer");
  }
  void answered(std::size_t node) { --pending[node]; }
};

struct node_state {
  explicit node_state(caf::event_based_actor*) {}
  std::string name;
};

caf::behavior node(caf::stateful_actor<node_state>* self, std::size_t number) {
  self->state.name = "node_" + std::to_string(number);
  return {
      [=](ping_atom, int round) {
        troupe::observe<pending_pings>().answered(number);
        self->send(caf::actor_cast<caf::actor>(self->current_sender()), pong_atom::value, number, round);
      },
      [=](halt_atom) { self->quit(); },
  };
}

struct detector {
  explicit detector(caf::stateful_actor<detector>* actor) : self(actor) {}
  static inline const char* name = "detector";

  void go_on(const char* with, caf::behavior next) {
    phase = with;
    self->become(std::move(next));
  }

  /// Pings everybody who has not answered yet, and goes on when all have, or when the time is up.
  void send_pings() {
    for (std::size_t i = 0; i < node_count; ++i)
      if (alive[i] && !answered[i]) {
        troupe::observe<pending_pings>().sent(i);
        self->send(nodes[i], ping_atom::value, round);
      }
    timer.start(self);
    go_on("collecting", collecting());
  }

  caf::behavior collecting() {
    return {
        [this](pong_atom, std::size_t number, int of_round) {
          // The mistake.
          const bool counts = which == variant::buggy || of_round == round;
          if (!counts || !alive[number])
            return;
          answered.set(number);
          if (answered == alive) {
            timer.cancel(self);
            go_on("cancelling", cancelling());
          }
        },
        [this](timeout_atom) {
          ++attempts;
          if (answered != alive && attempts < attempts_max) {
            send_pings();
          } else {
            alive = answered;
            end_round();
          }
        },
    };
  }

  /// Everything but the timer's answer is left in the mailbox meanwhile.
  caf::behavior cancelling() {
    return {
        [this](cancelled_atom) { end_round(); },
        [this](too_late_atom) { go_on("collecting", collecting()); }, // The timeout is on its way, and ends the round.
    };
  }

  void end_round() {
    ++round;
    attempts = 0;
    answered.reset();
    if (round > rounds_max) {
      self->quit();
      return;
    }
    timer.start(self);
    go_on("resting", resting());
  }

  caf::behavior resting() {
    return {
        [](pong_atom, std::size_t, int) {},
        [this](timeout_atom) { send_pings(); },
    };
  }

  caf::stateful_actor<detector>* self;
  std::vector<caf::actor> nodes;
  owned_timer timer;
  variant which = variant::fixed;
  const char* phase = "";
  int round = 1;
  int attempts = 0;
  std::bitset<node_count> alive = std::bitset<node_count>().set();
  std::bitset<node_count> answered;
};

std::string to_string(const detector& x) {
  return x.phase + (" in round " + std::to_string(x.round)) + ", " + std::to_string(x.attempts) +
         " attempts failed, alive " + x.alive.to_string() + ", answered " + x.answered.to_string();
}

void detect(caf::stateful_actor<detector>* self, std::vector<caf::actor> nodes, variant which) {
  self->set_default_handler(caf::skip);
  self->state.nodes = std::move(nodes);
  self->state.which = which;
  self->state.timer.actor = self->spawn(timer);
  troupe::expose_state(self);
  self->state.send_pings();
}

struct saboteur_state {
  explicit saboteur_state(caf::event_based_actor*) {}
  static inline const char* name = "saboteur";
};

/// Halts both nodes, at some time.
caf::behavior saboteur(caf::stateful_actor<saboteur_state>* self, const std::vector<caf::actor>& nodes) {
  for (const auto& each : nodes)
    self->send(each, halt_atom::value);
  return {[](halt_atom) {}}; // Lives on, since of the dead a chart knows no names.
}

void failure_detector(troupe::simulator& sim, variant which) {
  std::vector<caf::actor> nodes;
  for (std::size_t i = 0; i < node_count; ++i)
    nodes.push_back(sim.caf().spawn(node, i));
  sim.caf().spawn(detect, nodes, which);
  sim.caf().spawn(saboteur, nodes);
  sim.run_until_idle();
}

} // namespace

void add_failure_detector(troupe::scenario_set& scenarios) {
  add_variants(scenarios, "failure-detector", "old pongs count for new rounds, while pings pile up at a slow node",
               failure_detector, {.max_steps = 200, .fail_on_step_limit = false});
}

} // namespace protocols
