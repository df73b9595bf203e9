// Two-phase commit: a coordinator asks all participants whether they can, and then tells all of them whether they
// shall.
//
// Transactions are numbered, and done one after the other. If all participants say yes the coordinator commits; if one
// says no, or if they take too long, it aborts. What is said to an earlier transaction does not count. The timer is
// taken back after the decision, which may fail: it may be about to ring.
//
// The mistake: the coordinator counts how many yeses are missing, and an abort does not start the count anew. The next
// transaction is committed before all have said yes.
// It shows if a yes comes before the abort of the first transaction, and the others' yeses to the second one come
// before the last vote.
//
// The second program: clients write, and read when they are told that it is done. One believes that it reads what it
// has written, although another client may have written since. It shows if the read takes longer than the whole of the
// other's transaction.
//
// After samples of the language P: Desai et al., "P: Safe Asynchronous Event-Driven Programming" (PLDI 2013).
#include "examples/protocols/protocols.hpp"
#include "examples/protocols/timers.hpp"
#include "sim/actor_state.hpp"
#include "sim/simulator.hpp"
#include <deque>
#include <map>
#include <set>

namespace protocols {
namespace {

using prepare_atom = caf::atom_constant<caf::atom("prepare")>;
using yes_atom = caf::atom_constant<caf::atom("yes")>;
using no_atom = caf::atom_constant<caf::atom("no")>;
using commit_atom = caf::atom_constant<caf::atom("commit")>;
using abort_atom = caf::atom_constant<caf::atom("abort")>;
using write_atom = caf::atom_constant<caf::atom("write")>;
using written_atom = caf::atom_constant<caf::atom("written")>;
using refused_atom = caf::atom_constant<caf::atom("refused")>;
using read_atom = caf::atom_constant<caf::atom("read")>;
using value_atom = caf::atom_constant<caf::atom("value")>;

/// The rule: what is committed, all participants have said yes to.
struct votes : troupe::monitor {
  std::map<int, std::set<std::size_t>> yes;

  void said_yes(std::size_t participant, int transaction) { yes[transaction].insert(participant); }
  void committed(int transaction, std::size_t participants) {
    for (std::size_t i = 0; i < participants; ++i)
      troupe::check(yes[transaction].count(i) != 0, "transaction " + std::to_string(transaction) +
                                                        " is committed, but participant " + std::to_string(i) +
                                                        " has not said yes to it");
  }
};

// -- a participant ------------------------------------------------------------

struct participant_state {
  explicit participant_state(caf::event_based_actor*) {}
  std::string name;
};

/// Can or cannot, as it happens.
caf::behavior participant(caf::stateful_actor<participant_state>* self, std::size_t number) {
  self->state.name = "participant_" + std::to_string(number);
  return {
      [=](prepare_atom, int transaction) {
        const auto coordinator = caf::actor_cast<caf::actor>(self->current_sender());
        if (troupe::choose_bool()) {
          self->send(coordinator, no_atom::value, transaction);
        } else {
          troupe::observe<votes>().said_yes(number, transaction);
          self->send(coordinator, yes_atom::value, transaction);
        }
      },
      [](commit_atom, int) {},
      [](abort_atom, int) {},
  };
}

// -- the coordinator ----------------------------------------------------------

struct coordinator_state {
  explicit coordinator_state(caf::stateful_actor<coordinator_state>* actor) : self(actor) {}
  static inline const char* name = "coordinator";

  struct request {
    int value = 0;
    caf::actor client; ///< Null if nobody waits for the outcome.
  };

  void begin_next() {
    is_busy = !todo.empty();
    if (!is_busy)
      return;
    current = todo.front();
    todo.pop_front();
    is_counting = true;
    ++transaction;
    for (const auto& each : participants)
      self->send(each, prepare_atom::value, transaction);
    timer.start(self);
  }

  void commit() {
    troupe::observe<votes>().committed(transaction, participants.size());
    missing = participants.size();
    value = current.value;
    written_by = transaction;
    decide(commit_atom::value);
    if (current.client)
      self->send(current.client, written_atom::value, transaction);
  }

  void abort() {
    // The mistake.
    if (which == variant::fixed)
      missing = participants.size();
    decide(abort_atom::value);
    if (current.client)
      self->send(current.client, refused_atom::value);
  }

  template <class Decision>
  void decide(Decision decision) {
    is_counting = false;
    for (const auto& each : participants)
      self->send(each, decision, transaction);
  }

  /// Whoever may have missed a vote that was cast for an earlier transaction has not missed anything.
  bool counts(int voted_for) const { return is_counting && voted_for == transaction; }

  caf::behavior running() {
    return {
        [this](yes_atom, int voted_for) {
          if (!counts(voted_for) || --missing != 0)
            return;
          commit();
          timer.cancel(self);
        },
        [this](no_atom, int voted_for) {
          if (!counts(voted_for))
            return;
          abort();
          timer.cancel(self);
        },
        [this](timeout_atom) {
          if (is_counting)
            abort();
          begin_next();
        },
        [this](cancelled_atom) { begin_next(); },
        [](too_late_atom) {}, // The timeout is on its way.
        [this](write_atom, int wanted) {
          todo.push_back({wanted, caf::actor_cast<caf::actor>(self->current_sender())});
          if (!is_busy)
            begin_next();
        },
        [this](read_atom) {
          self->send(caf::actor_cast<caf::actor>(self->current_sender()), value_atom::value, value, written_by);
        },
    };
  }

  caf::stateful_actor<coordinator_state>* self;
  std::vector<caf::actor> participants;
  owned_timer timer;
  variant which = variant::fixed;
  std::deque<request> todo;
  request current;
  bool is_busy = false;     ///< With a transaction, or with the timer of the last one.
  bool is_counting = false; ///< Undecided as yet.
  int transaction = 0;
  std::size_t missing = 0;
  int value = 0;
  int written_by = 0;
};

std::string to_string(const coordinator_state& x) {
  return (x.is_counting ? "counts"
          : x.is_busy   ? "waits for the timer"
                        : "rests") +
         (" in transaction " + std::to_string(x.transaction)) + ", " + std::to_string(x.missing) + " missing, " +
         std::to_string(x.todo.size()) + " to do, value " + std::to_string(x.value) + " of " +
         std::to_string(x.written_by);
}

/// Begins with `transactions` of its own.
caf::behavior coordinator(caf::stateful_actor<coordinator_state>* self, std::size_t participants, int transactions,
                          variant which) {
  auto& state = self->state;
  for (std::size_t i = 0; i < participants; ++i)
    state.participants.push_back(self->spawn(participant, i));
  state.missing = participants;
  state.timer = {self->spawn(plain_timer), true};
  state.which = which;
  state.todo.resize(static_cast<std::size_t>(transactions));
  state.begin_next();
  troupe::expose_state(self);
  return state.running();
}

void two_phase_commit(troupe::simulator& sim, variant which) {
  sim.caf().spawn(coordinator, 3u, 2, which);
  sim.run_until_idle();
}

void one_transaction(troupe::simulator& sim) {
  sim.caf().spawn(coordinator, 3u, 1, variant::fixed);
  sim.run_until_idle();
}

// -- a client -----------------------------------------------------------------

struct client_state {
  explicit client_state(caf::event_based_actor*) {}
  std::string name;
  int written_by = 0;
};

/// Writes a value that nobody else writes, and reads what there is then.
caf::behavior client(caf::stateful_actor<client_state>* self, const caf::actor& to, int mine, variant which) {
  self->state.name = "client_" + std::to_string(mine);
  self->send(to, write_atom::value, mine);
  return {
      [=](written_atom, int transaction) {
        self->state.written_by = transaction;
        self->send(to, read_atom::value);
      },
      [](refused_atom) {},
      [=](value_atom, int value, int written_by) {
        // The mistake: somebody else may have written since.
        const bool is_right = which == variant::buggy ? value == mine
                                                      : written_by > self->state.written_by ||
                                                            (written_by == self->state.written_by && value == mine);
        troupe::check(is_right, "client " + std::to_string(mine) + " has read " + std::to_string(value) +
                                    " where it has written " + std::to_string(mine));
      },
  };
}

void two_phase_commit_client(troupe::simulator& sim, variant which) {
  const auto to = sim.caf().spawn(coordinator, 2u, 0, variant::fixed);
  for (int i = 1; i <= 2; ++i)
    sim.caf().spawn(client, to, i, which);
  sim.run_until_idle();
}

} // namespace

void add_two_phase_commit(troupe::scenario_set& scenarios) {
  add_variants(scenarios, "two-phase-commit", "the votes of an aborted transaction count for the next one",
               two_phase_commit);
  add_variants(scenarios, "two-phase-commit-client", "a client believes that it reads what it has written",
               two_phase_commit_client);
  scenarios.add(
      {"two-phase-commit-small-fixed", "one transaction: small enough for a proof (--strategy dpor)", one_transaction});
}

} // namespace protocols
