// The election of Chang and Roberts: processes in a ring, each with a number of its own, agree on the highest one.
//
// Any process may begin: it joins the election, and sends its number to the next one as a candidate. A candidate with a
// higher number is passed on. One with a lower number is not: the process joins the election instead, unless it has
// already. Whose number comes back to it is the leader, and sends that round the ring.
//
// The mistake: a process that has not joined yet passes lower numbers on as well. So a low number comes round if all
// others are late, and a higher one comes round after it. (Chang, Roberts, "An Improved Algorithm for Decentralized
// Extrema-Finding in Circular Configurations of Processes", CACM 22(5), 1979.)
#include "examples/protocols/protocols.hpp"
#include "sim/simulator.hpp"
#include <caf/all.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace protocols {
namespace {

using begin_atom = caf::atom_constant<caf::atom("begin")>;
using candidate_atom = caf::atom_constant<caf::atom("candidate")>;
using leader_atom = caf::atom_constant<caf::atom("leader")>;

/// The ring, in the order of its messages.
const std::vector<int> numbers = {1, 2, 3};
using ring = std::shared_ptr<std::vector<caf::actor>>;

/// There is one leader, and everybody hears of it.
struct elections : troupe::monitor {
  std::optional<int> leader;
  std::size_t informed = 0;
  void begins() { become_hot("all processes know the leader"); }
  void elected(int number) {
    if (leader && *leader != number)
      troupe::fail("there are two leaders, " + std::to_string(*leader) + " and " + std::to_string(number));
    leader = number;
    informs();
  }
  void informs() {
    if (++informed == numbers.size())
      become_cold();
  }
};

struct process_state {
  process_state() = default;
  std::string name; ///< For charts.
  bool has_joined = false;
};

caf::behavior process(caf::stateful_actor<process_state>* self, const ring& all, std::size_t place, variant which) {
  const auto mine = numbers[place];
  self->state.name = "process-" + std::to_string(mine);
  const auto send_on = [=](auto kind, int number) { self->send(all->at((place + 1) % all->size()), kind, number); };
  const auto join = [=] {
    if (!std::exchange(self->state.has_joined, true))
      send_on(candidate_atom::value, mine);
  };
  return {
      [=](begin_atom) { join(); },
      [=](candidate_atom, int number) {
        // The mistake: who has not joined yet lets lower numbers pass.
        const bool is_passed = number > mine || (which == variant::buggy && !self->state.has_joined);
        if (number == mine) {
          troupe::observe<elections>().elected(mine);
          send_on(leader_atom::value, mine);
        } else if (is_passed) {
          send_on(candidate_atom::value, number);
        } else {
          join();
        }
      },
      [=](leader_atom, int number) {
        if (number == mine)
          return;
        troupe::observe<elections>().informs();
        send_on(leader_atom::value, number);
      },
  };
}

void elect(troupe::simulator& sim, variant which) {
  troupe::observe<elections>().begins();
  const auto all = std::make_shared<std::vector<caf::actor>>();
  for (std::size_t place = 0; place < numbers.size(); ++place)
    all->push_back(sim.caf().spawn(process, all, place, which));
  for (const auto& each : *all)
    caf::anon_send(each, begin_atom::value);
  sim.run_until_idle();
}

} // namespace

void add_chang_roberts(troupe::scenario_set& scenarios) {
  add_variants(scenarios, "chang-roberts", "who has not joined the election yet lets lower numbers pass", elect);
}

} // namespace protocols
