// A store that keeps three replicas of a value, although nodes fail.
//
// A manager passes what is to be stored to all nodes that it knows of, and learns from their reports who holds what. If
// it is told of a node's end it puts a new one into its place, which holds nothing. As long as it knows of fewer than
// three replicas of the latest value it sends the value to nodes that lag behind.
//
// The mistake: a report adds its node to those that are known, even if it is known to have failed. The dead node counts
// as a replica, and the new one is never given the value. It shows if the news of a node's end overtakes the node's
// last report, and both come before the repair.
//
// After Deligiannis et al., "Uncovering Bugs in Distributed Storage Systems during Testing" (FAST 2016).
#include "examples/protocols/protocols.hpp"
#include "sim/actor_state.hpp"
#include "sim/simulator.hpp"
#include <algorithm>
#include <caf/all.hpp>
#include <map>
#include <vector>

namespace protocols {
namespace {

using store_atom = caf::atom_constant<caf::atom("store")>;
using repair_atom = caf::atom_constant<caf::atom("repair")>;
using report_atom = caf::atom_constant<caf::atom("report")>;
using halt_atom = caf::atom_constant<caf::atom("halt")>;
using failed_atom = caf::atom_constant<caf::atom("failed")>;

constexpr int replica_count = 3;
constexpr int nothing = 0;

/// The rule: in the end three living nodes hold what was stored last.
struct replicas : troupe::monitor {
  std::map<int, int> held;
  int latest = nothing;

  void created(int node) { now_holds(node, nothing); }
  void halted(int node) {
    held.erase(node);
    judge();
  }
  void stored(int value) {
    latest = value;
    judge();
  }
  void now_holds(int node, int value) {
    held[node] = value;
    judge();
  }

private:
  void judge() {
    const auto count = std::count_if(held.begin(), held.end(), [this](auto& each) { return each.second == latest; });
    if (count >= replica_count)
      become_cold();
    else
      become_hot("three living nodes hold the value " + std::to_string(latest) + ", not just " + std::to_string(count));
  }
};

// -- a node -------------------------------------------------------------------

struct node_state {
  explicit node_state(caf::event_based_actor*) {}
  std::string name;
};

/// Keeps a value, and reports what it keeps.
caf::behavior node(caf::stateful_actor<node_state>* self, int number) {
  self->state.name = "node_" + std::to_string(number);
  return {
      [=](store_atom, int value) {
        troupe::observe<replicas>().now_holds(number, value);
        self->send(caf::actor_cast<caf::actor>(self->current_sender()), report_atom::value, number, value);
      },
      [=](halt_atom) {
        troupe::observe<replicas>().halted(number);
        self->quit();
      },
  };
}

// -- the manager --------------------------------------------------------------

struct manager_state {
  explicit manager_state(caf::stateful_actor<manager_state>* actor) : self(actor) {}
  static inline const char* name = "manager";

  void add(const caf::actor& node) {
    known.emplace(static_cast<int>(nodes.size()), nothing);
    nodes.push_back(node);
  }

  /// Reports may come meanwhile, and are then taken into account, too.
  void repair_soon() {
    if (!std::exchange(is_repair_due, true))
      self->send(self, repair_atom::value);
  }

  /// Sends what was stored last to as many nodes as there are replicas missing.
  void repair() {
    int latest = nothing;
    for (auto& each : known)
      latest = std::max(latest, each.second);
    auto count = std::count_if(known.begin(), known.end(), [&](auto& each) { return each.second == latest; });
    for (auto& [number, data] : known)
      if (data != latest && count < replica_count) {
        self->send(nodes[static_cast<std::size_t>(number)], store_atom::value, latest);
        ++count;
      }
  }

  caf::behavior running() {
    return {
        [this](store_atom, int value) {
          troupe::observe<replicas>().stored(value);
          for (auto& each : known)
            self->send(nodes[static_cast<std::size_t>(each.first)], store_atom::value, value);
        },
        [this](report_atom, int number, int data) {
          // The mistake.
          if (which == variant::fixed && known.count(number) == 0)
            return;
          known[number] = data;
          repair_soon();
        },
        [this](failed_atom, int number) {
          known.erase(number);
          const auto fresh = static_cast<int>(nodes.size());
          troupe::observe<replicas>().created(fresh);
          add(self->spawn(node, fresh));
          repair_soon();
        },
        [this](repair_atom) {
          is_repair_due = false;
          repair();
        },
    };
  }

  caf::stateful_actor<manager_state>* self;
  variant which = variant::fixed;
  std::vector<caf::actor> nodes;
  std::map<int, int> known; ///< What each living node is known to hold.
  bool is_repair_due = false;
};

std::string to_string(const manager_state& x) {
  return "knows " + caf::deep_to_string(x.known) + (x.is_repair_due ? ", to repair soon" : "");
}

caf::behavior manager(caf::stateful_actor<manager_state>* self, const std::vector<caf::actor>& nodes, variant which) {
  self->state.which = which;
  for (const auto& each : nodes)
    self->state.add(each);
  troupe::expose_state(self);
  return self->state.running();
}

// -- their environment --------------------------------------------------------

struct saboteur_state {
  explicit saboteur_state(caf::event_based_actor*) {}
  static inline const char* name = "saboteur";
};

/// Halts one node, and has the manager told of it.
caf::behavior saboteur(caf::stateful_actor<saboteur_state>* self, const std::vector<caf::actor>& nodes,
                       const caf::actor& manager) {
  const auto victim = troupe::choose(nodes.size());
  self->send(nodes[victim], halt_atom::value);
  self->send(manager, failed_atom::value, static_cast<int>(victim));
  return {[](halt_atom) {}}; // Lives on, since of the dead a chart knows no names.
}

void replicating_storage(troupe::simulator& sim, variant which) {
  std::vector<caf::actor> nodes;
  for (int i = 0; i < replica_count; ++i) {
    nodes.push_back(sim.caf().spawn(node, i));
    troupe::observe<replicas>().created(i);
  }
  const auto boss = sim.caf().spawn(manager, nodes, which);
  sim.caf().spawn(saboteur, nodes, boss);
  caf::anon_send(boss, store_atom::value, 7);
  sim.run_until_idle();
}

} // namespace

void add_replicating_storage(troupe::scenario_set& scenarios) {
  add_variants(scenarios, "replicating-storage",
               "a late report of a failed node adds it back, and hides that one is missing", replicating_storage);
}

} // namespace protocols
