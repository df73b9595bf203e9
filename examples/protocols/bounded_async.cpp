// Bounded asynchrony: processes in a ring that go on at their own pace, but never more than one step apart from their
// neighbours.
//
// A process makes a step, tells both neighbours how many it has made, and asks the barrier for the next one. The
// barrier lets all of them go on when all have asked. So a neighbour's count, when it comes, is the process's own or
// one more.
//
// The mistake: the barrier counts one request too few, and lets the others go on without the last one. (BoundedAsync is
// a sample of P and of P#; Desai et al., "P: Safe Asynchronous Event-Driven Programming", PLDI 2013.)
#include "examples/protocols/protocols.hpp"
#include "sim/simulator.hpp"
#include <caf/all.hpp>
#include <memory>
#include <string>
#include <vector>

namespace protocols {
namespace {

using ask_atom = caf::atom_constant<caf::atom("ask")>;
using go_atom = caf::atom_constant<caf::atom("go")>;
using count_atom = caf::atom_constant<caf::atom("count")>;

constexpr std::size_t processes = 3;
constexpr int steps = 2; ///< That each process makes, then it stops.
using ring = std::shared_ptr<std::vector<caf::actor>>;

struct barrier_state {
  barrier_state() = default;
  static inline const char* name = "barrier";
  std::size_t asked = 0;
};

caf::behavior barrier(caf::stateful_actor<barrier_state>* self, const ring& all, variant which) {
  // The mistake: one request too few.
  const auto awaited = which == variant::buggy ? processes - 1 : processes;
  return {[=](ask_atom) {
    if (++self->state.asked < awaited)
      return;
    self->state.asked = 0;
    for (const auto& each : *all)
      self->send(each, go_atom::value);
  }};
}

struct process_state {
  process_state() = default;
  std::string name; ///< For charts.
  int count = 0;
};

caf::behavior process(caf::stateful_actor<process_state>* self, const ring& all, const caf::actor& gate,
                      std::size_t place) {
  self->state.name = "process-" + std::to_string(place);
  self->send(gate, ask_atom::value);
  return {
      [=](go_atom) {
        if (self->state.count == steps)
          return;
        const auto count = ++self->state.count;
        self->send(all->at((place + processes - 1) % processes), count_atom::value, count);
        self->send(all->at((place + 1) % processes), count_atom::value, count);
        self->send(gate, ask_atom::value);
      },
      [=](count_atom, int other) {
        const auto mine = self->state.count;
        troupe::check(mine == other || mine == other - 1, "process-" + std::to_string(place) + " has made " +
                                                              std::to_string(mine) + " steps, its neighbour " +
                                                              std::to_string(other));
      },
  };
}

void step_together(troupe::simulator& sim, variant which) {
  const auto all = std::make_shared<std::vector<caf::actor>>();
  const auto gate = sim.caf().spawn(barrier, all, which);
  for (std::size_t place = 0; place < processes; ++place)
    all->push_back(sim.caf().spawn(process, all, gate, place));
  sim.run_until_idle();
}

} // namespace

void add_bounded_async(troupe::scenario_set& scenarios) {
  add_variants(scenarios, "bounded-async", "the barrier counts one request too few", step_together);
}

} // namespace protocols
