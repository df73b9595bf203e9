// Raft's leader election among five servers, after Ongaro and Ousterhout, "In Search of an Understandable Consensus
// Algorithm" (2014). The log and the heartbeats are left out: who has lost an election goes on asking for votes until
// it hears of a later term.
//
// Whoever has not heard of a leader for some time stands for election in a term of its own: it votes for itself, and
// asks the others for their votes, again and again, since messages may get lost. A server has one vote in a term, and
// gives it to whom it has given it before. Who has the votes of a majority leads.
//
// The mistake: votes are counted, whosever they are. Who is asked twice says yes twice.
// It shows if two servers stand in the same term, so that each has timed out before it hears of the other, and each
// gets two answers of one and the same voter.
//
// After a benchmark of P#: Mukherjee et al., "Learning-Based Controlled Concurrency Testing" (OOPSLA 2020).
#include "examples/protocols/protocols.hpp"
#include "examples/protocols/timers.hpp"
#include "sim/simulator.hpp"
#include <bitset>
#include <map>
#include <optional>
#include <vector>

namespace protocols {
namespace {

constexpr int server_count = 5;
constexpr int majority = server_count / 2 + 1;

// -- messages -----------------------------------------------------------------

struct members {
  std::vector<caf::actor> servers;
};
template <class Inspector>
auto inspect(Inspector& f, members& x) {
  return f(caf::meta::type_name("members"), x.servers);
}
std::string to_string(const members& x) { return "members(" + std::to_string(x.servers.size()) + ")"; }

struct request_vote {
  int term = 0;
  int candidate = 0;
};
template <class Inspector>
auto inspect(Inspector& f, request_vote& x) {
  return f(caf::meta::type_name("request_vote"), x.term, x.candidate);
}

struct vote {
  int term = 0;
  int voter = 0;
  bool is_granted = false;
};
template <class Inspector>
auto inspect(Inspector& f, vote& x) {
  return f(caf::meta::type_name("vote"), x.term, x.voter, x.is_granted);
}

using tick_atom = caf::atom_constant<caf::atom("tick")>;
using elect_atom = caf::atom_constant<caf::atom("elect")>;

// -- the rule -----------------------------------------------------------------

/// No term has two leaders.
struct leaders : troupe::monitor {
  std::map<int, int> of_term;

  void elected(int term, int server) {
    const auto first = of_term.emplace(term, server).first->second;
    troupe::check(first == server, "servers " + std::to_string(first) + " and " + std::to_string(server) +
                                       " are both leaders in term " + std::to_string(term));
  }
};

// -- the election timer -------------------------------------------------------

struct election_timer_state {
  explicit election_timer_state(caf::event_based_actor*) {}
  static inline const char* name = "election_timer";
  caf::actor owner;
  bool is_running = false;
  int heads = 0;
};
std::string to_string(const election_timer_state& x) {
  return std::to_string(x.heads) + (x.is_running ? " heads, runs" : " heads, rests");
}

/// Once started it flips a coin at each tick, and sends `elect` when it has seen `heads_needed` heads. A second coin
/// decides whether it goes on; heads are kept until it is started again.
caf::behavior election_timer(caf::stateful_actor<election_timer_state>* self, int heads_needed) {
  troupe::expose_state(self);
  return {
      [self](start_atom) {
        auto& state = self->state;
        if (std::exchange(state.is_running, true))
          return;
        state.owner = caf::actor_cast<caf::actor>(self->current_sender());
        self->send(self, tick_atom::value);
      },
      [self, heads_needed](tick_atom) {
        auto& state = self->state;
        if (troupe::choose_bool() && ++state.heads == heads_needed) {
          state.heads = 0;
          self->send(state.owner, elect_atom::value);
        }
        state.is_running = troupe::choose_bool();
        if (state.is_running)
          self->send(self, tick_atom::value);
      },
  };
}

// -- a server -----------------------------------------------------------------

/// How an election goes in a scenario.
struct election {
  int heads_needed = 4;  ///< Of the election timer.
  int requests_each = 1; ///< Copies of each request for a vote.
  variant which = variant::fixed;
};

struct server_state {
  explicit server_state(caf::stateful_actor<server_state>* actor) : self(actor) {}

  enum class role { follower, candidate, leader };

  void follow() {
    now = role::follower;
    self->send(election_timer, start_atom::value);
  }

  void stand_for_election() {
    now = role::candidate;
    ++term;
    voted_for = number;
    voters.reset();
    voters.set(static_cast<std::size_t>(number));
    votes = 1;
    self->send(election_timer, start_atom::value);
    ask_for_votes();
  }

  /// Asks everybody again and again, until the election is over: messages may get lost.
  void ask_for_votes() {
    if (!std::exchange(is_retry_due, true))
      retry_timer.start(self);
    for (int i = 0; i < server_count; ++i)
      for (int copy = 0; i != number && copy < rules.requests_each; ++copy)
        self->send(servers[static_cast<std::size_t>(i)], request_vote{term, number});
  }

  /// Whoever hears of a later term than its own is a follower in it.
  void learn_of(int other_term) {
    if (other_term <= term)
      return;
    term = other_term;
    voted_for.reset();
    if (now != role::follower)
      follow();
  }

  void handle(const request_vote& asked) {
    learn_of(asked.term);
    const bool is_granted = asked.term == term && voted_for.value_or(asked.candidate) == asked.candidate;
    if (is_granted)
      voted_for = asked.candidate;
    self->send(servers[static_cast<std::size_t>(asked.candidate)], vote{term, number, is_granted});
  }

  void handle(const vote& given) {
    learn_of(given.term);
    if (now != role::candidate || given.term != term || !given.is_granted)
      return;
    // The mistake.
    const auto voter = static_cast<std::size_t>(given.voter);
    if (rules.which == variant::buggy || !voters[voter])
      ++votes;
    voters.set(voter);
    if (votes >= majority)
      lead();
  }

  void lead() {
    now = role::leader;
    troupe::observe<leaders>().elected(term, number);
  }

  caf::behavior running() {
    return {
        [this](const request_vote& asked) { handle(asked); },
        [this](const vote& given) { handle(given); },
        [this](elect_atom) {
          if (now != role::leader)
            stand_for_election();
        },
        [this](timeout_atom) {
          is_retry_due = false;
          if (now == role::candidate)
            ask_for_votes();
        },
    };
  }

  caf::stateful_actor<server_state>* self;
  std::string name;
  int number = 0;
  election rules;
  std::vector<caf::actor> servers;
  caf::actor election_timer;
  owned_timer retry_timer;
  bool is_retry_due = false;
  role now = role::follower;
  int term = 0;
  std::optional<int> voted_for;
  std::bitset<server_count> voters;
  int votes = 0;
};

std::string to_string(const server_state& x) {
  if (x.servers.empty())
    return "does not know the others yet";
  const char* const roles[] = {"follower", "candidate", "leader"};
  return roles[static_cast<std::size_t>(x.now)] + (" in term " + std::to_string(x.term)) + ", voted for " +
         (x.voted_for ? std::to_string(*x.voted_for) : "nobody") + ", has " + std::to_string(x.votes) + " votes of " +
         x.voters.to_string();
}

/// Waits until it knows the others.
caf::behavior server(caf::stateful_actor<server_state>* self, int number, election rules) {
  self->set_default_handler(caf::skip);
  self->state.name = "server_" + std::to_string(number);
  self->state.number = number;
  self->state.rules = rules;
  self->state.election_timer = self->spawn(election_timer, rules.heads_needed);
  self->state.retry_timer.actor = self->spawn(timer);
  troupe::expose_state(self);
  return {[self](const members& all) {
    self->state.servers = all.servers;
    self->state.follow();
    self->become(self->state.running());
  }};
}

void elect_leaders(troupe::simulator& sim, const election& rules) {
  members all;
  for (int i = 0; i < server_count; ++i)
    all.servers.push_back(sim.caf().spawn(server, i, rules));
  for (const auto& each : all.servers)
    caf::anon_send(each, all);
  sim.run_until_idle();
}

void raft_v1(troupe::simulator& sim, variant which) { elect_leaders(sim, {.heads_needed = 4, .which = which}); }
void raft_v2(troupe::simulator& sim, variant which) { elect_leaders(sim, {.heads_needed = 6, .which = which}); }

} // namespace

void add_raft(troupe::scenario_set& scenarios) {
  const troupe::simulation_options options{.max_steps = 1'000, .fail_on_step_limit = false};
  const std::string mistake = "votes are counted, and who is asked twice votes twice: two leaders in one term";
  add_variants(scenarios, "raft-v1", mistake + " (an election timeout needs 4 heads)", raft_v1, options);
  add_variants(scenarios, "raft-v2", mistake + " (an election timeout needs 6 heads)", raft_v2, options);
  scenarios.add({"raft-duplicate-requests", "each request for a vote comes twice, but votes are kept by voter",
                 [](troupe::simulator& sim) { elect_leaders(sim, {.requests_each = 2}); }, options});
}

} // namespace protocols
