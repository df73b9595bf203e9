// Multi-Paxos among three nodes, after Lamport, "Paxos Made Simple" (2001): one leader for all slots of a log.
//
// A node that takes the leader for dead stands for election with a greater ballot than it has heard of. A node that
// promises to follow it tells it what it has accepted before, and refuses smaller ballots from then on. With the
// promises of a majority it leads: slot by slot, it proposes what was accepted under the greatest ballot, or else a
// command of its own. A value that a majority has accepted is chosen, for ever.
//
// The mistake: ballots are compared by their rounds alone, so that two leaders of one round are equals, and none
// refuses the other. It shows if two nodes stand in the same round, and each has its promises before the other's value
// has been accepted.
#include "examples/protocols/protocols.hpp"
#include "sim/actor_state.hpp"
#include "sim/simulator.hpp"
#include <caf/all.hpp>
#include <map>
#include <set>
#include <tuple>
#include <vector>

namespace protocols {
namespace {

constexpr int node_count = 3;
constexpr std::size_t majority = node_count / 2 + 1;
constexpr int ticks_max = 3;
constexpr int commands_each = 2;

// -- messages -----------------------------------------------------------------

struct ballot {
  int round = 0;
  int node = 0;
  bool operator==(const ballot&) const = default;
};
template <class Inspector>
auto inspect(Inspector& f, ballot& x) {
  return f(caf::meta::type_name("ballot"), x.round, x.node);
}
std::string to_string(const ballot& x) { return std::to_string(x.round) + "." + std::to_string(x.node); }

/// A value that was accepted for a slot.
struct entry {
  ballot under;
  int value = 0;
};
template <class Inspector>
auto inspect(Inspector& f, entry& x) {
  return f(caf::meta::type_name("entry"), x.under, x.value);
}
std::string to_string(const entry& x) { return std::to_string(x.value) + " under " + to_string(x.under); }
using entries = std::map<int, entry>;

struct members {
  std::vector<caf::actor> nodes;
};
template <class Inspector>
auto inspect(Inspector& f, members& x) {
  return f(caf::meta::type_name("members"), x.nodes);
}
std::string to_string(const members& x) { return "members(" + std::to_string(x.nodes.size()) + ")"; }

struct prepare {
  ballot under;
};
template <class Inspector>
auto inspect(Inspector& f, prepare& x) {
  return f(caf::meta::type_name("prepare"), x.under);
}

struct promise {
  ballot under;
  int from = 0;
  entries accepted;
};
template <class Inspector>
auto inspect(Inspector& f, promise& x) {
  return f(caf::meta::type_name("promise"), x.under, x.from, x.accepted);
}

struct accept {
  ballot under;
  int slot = 0;
  int value = 0;
};
template <class Inspector>
auto inspect(Inspector& f, accept& x) {
  return f(caf::meta::type_name("accept"), x.under, x.slot, x.value);
}

struct accepted {
  ballot under;
  int slot = 0;
  int from = 0;
};
template <class Inspector>
auto inspect(Inspector& f, accepted& x) {
  return f(caf::meta::type_name("accepted"), x.under, x.slot, x.from);
}

/// The answer to both requests, if a greater ballot has been promised to.
struct refused {
  ballot under;
  ballot promised;
};
template <class Inspector>
auto inspect(Inspector& f, refused& x) {
  return f(caf::meta::type_name("refused"), x.under, x.promised);
}

using tick_atom = caf::atom_constant<caf::atom("tick")>;

// -- the rule -----------------------------------------------------------------

/// No slot has two values.
struct chosen_values : troupe::monitor {
  std::map<int, int> of_slot;

  void chosen(int slot, int value) {
    const auto first = of_slot.emplace(slot, value).first->second;
    troupe::check(first == value, "slot " + std::to_string(slot) + " has two values: " + std::to_string(first) +
                                      " and " + std::to_string(value));
  }
};

// -- a node -------------------------------------------------------------------

/// Acceptor, and leader from time to time.
struct node_state {
  explicit node_state(caf::stateful_actor<node_state>* actor) : self(actor) {}

  // The mistake.
  bool is_less(const ballot& a, const ballot& b) const {
    if (which == variant::buggy)
      return a.round < b.round;
    return std::tie(a.round, a.node) < std::tie(b.round, b.node);
  }

  void broadcast(const caf::message& what) {
    for (int i = 0; i < node_count; ++i)
      if (i != number)
        self->send(nodes[static_cast<std::size_t>(i)], what);
  }
  void reply(const caf::message& what) { self->send(caf::actor_cast<caf::actor>(self->current_sender()), what); }

  // The leader's part. Its own promise and its own votes need no messages.

  /// It has promised to follow somebody else meanwhile.
  bool is_overruled() const { return is_less(mine, promised); }

  void stand_for_election() {
    mine = {promised.round + 1, number};
    is_candidate = true;
    promised = mine;
    promises = {number};
    proposals = log;
    broadcast(caf::make_message(prepare{mine}));
  }

  void handle(const promise& given) {
    if (!is_candidate || given.under != mine || is_overruled())
      return;
    promises.insert(given.from);
    for (const auto& [slot, each] : given.accepted)
      if (proposals.count(slot) == 0 || is_less(proposals[slot].under, each.under))
        proposals[slot] = each;
    if (promises.size() >= majority) {
      is_candidate = false;
      slot = 0;
      propose();
    }
  }

  /// For this slot, what somebody has accepted, or else a command of its own.
  void propose() {
    const auto known = proposals.find(slot);
    if (known == proposals.end() && commands == commands_each)
      return;
    proposal = known != proposals.end() ? known->second.value : 10 * number + ++commands;
    promised = mine;
    log[slot] = {mine, proposal};
    votes = {number};
    broadcast(caf::make_message(accept{mine, slot, proposal}));
  }

  void handle(const accepted& vote) {
    if (vote.under != mine || vote.slot != slot || is_overruled())
      return;
    votes.insert(vote.from);
    if (votes.size() < majority)
      return;
    troupe::observe<chosen_values>().chosen(slot, proposal);
    ++slot;
    propose();
  }

  void handle(const refused& answer) {
    if (answer.under != mine)
      return;
    is_candidate = false;
    mine = {};
    if (is_less(promised, answer.promised))
      promised = answer.promised;
  }

  // The acceptor's part.

  void handle(const prepare& request) {
    if (is_less(request.under, promised)) {
      reply(caf::make_message(refused{request.under, promised}));
    } else {
      promised = request.under;
      reply(caf::make_message(promise{request.under, number, log}));
    }
  }

  void handle(const accept& request) {
    if (is_less(request.under, promised)) {
      reply(caf::make_message(refused{request.under, promised}));
    } else {
      promised = request.under;
      log[request.slot] = {request.under, request.value};
      reply(caf::make_message(accepted{request.under, request.slot, number}));
    }
  }

  /// A coin says whether it takes the leader for dead, and another one whether it goes on watching.
  void tick() {
    if (troupe::choose_bool())
      stand_for_election();
    if (++ticks < ticks_max && troupe::choose_bool())
      self->send(self, tick_atom::value);
  }

  caf::behavior running() {
    return {
        [this](const prepare& request) { handle(request); }, [this](const promise& given) { handle(given); },
        [this](const accept& request) { handle(request); },  [this](const accepted& vote) { handle(vote); },
        [this](const refused& answer) { handle(answer); },   [this](tick_atom) { tick(); },
    };
  }

  caf::stateful_actor<node_state>* self;
  std::string name;
  int number = 0;
  variant which = variant::fixed;
  std::vector<caf::actor> nodes;

  ballot promised;
  entries log;

  ballot mine;
  bool is_candidate = false;
  std::set<int> promises;
  entries proposals; ///< What earlier leaders may have chosen.
  int slot = 0;
  int proposal = 0; ///< For the present slot.
  std::set<int> votes;
  int commands = 0; ///< Of its own, that it has proposed.
  int ticks = 0;
};

std::string to_string(const node_state& x) {
  if (x.nodes.empty())
    return "does not know the others yet";
  auto text = (x.is_candidate     ? "stands under "
               : x.is_overruled() ? "follows, stood under "
                                  : "leads under ") +
              to_string(x.mine) + " with " + caf::deep_to_string(x.promises) + ", votes for " +
              std::to_string(x.proposal) + " in slot " + std::to_string(x.slot) + ": " + caf::deep_to_string(x.votes);
  return text + "; proposes " + caf::deep_to_string(x.proposals) + "; promised " + to_string(x.promised) + ", has " +
         caf::deep_to_string(x.log) + "; " + std::to_string(x.commands) + " commands, " + std::to_string(x.ticks) +
         " ticks";
}

/// Waits until it knows the others.
caf::behavior node(caf::stateful_actor<node_state>* self, int number, variant which) {
  self->set_default_handler(caf::skip);
  self->state.name = "node_" + std::to_string(number);
  self->state.number = number;
  self->state.which = which;
  troupe::expose_state(self);
  return {[self](const members& all) {
    self->state.nodes = all.nodes;
    self->become(self->state.running());
    self->send(self, tick_atom::value);
  }};
}

void multi_paxos(troupe::simulator& sim, variant which) {
  members all;
  for (int i = 0; i < node_count; ++i)
    all.nodes.push_back(sim.caf().spawn(node, i, which));
  for (const auto& each : all.nodes)
    caf::anon_send(each, all);
  sim.run_until_idle();
}

} // namespace

void add_multi_paxos(troupe::scenario_set& scenarios) {
  add_variants(scenarios, "multi-paxos",
               "ballots are compared by their rounds alone: two leaders, two values in one slot", multi_paxos);
}

} // namespace protocols
