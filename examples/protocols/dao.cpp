// The DAO: a bank that pays out by a call to the wallet of its customer, who uses the call to withdraw once more.
//
// A withdrawal is checked against the balance, and paid. The bank waits for the wallet's receipt, as one contract calls
// another one. The thief's wallet tells its owner of the money before it gives the receipt, and the owner withdraws
// again at once.
//
// The mistake: the bank takes the money off the balance when it has the receipt, and not before it pays. A withdrawal
// that comes in between is checked against the old balance. (The attack on "The DAO" of June 2016; see Atzei,
// Bartoletti, Cimoli, "A Survey of Attacks on Ethereum Smart Contracts", 2017.)
#include "examples/protocols/protocols.hpp"
#include "sim/simulator.hpp"
#include <caf/all.hpp>
#include <string>

namespace protocols {
namespace {

using own_atom = caf::atom_constant<caf::atom("own")>;
using withdraw_atom = caf::atom_constant<caf::atom("withdraw")>;
using pay_atom = caf::atom_constant<caf::atom("pay")>;
using receipt_atom = caf::atom_constant<caf::atom("receipt")>;
using paid_atom = caf::atom_constant<caf::atom("paid")>;

constexpr int deposit = 10; ///< What the thief has in the bank. Others have money there, too.
constexpr int greed = 3;    ///< Times that the thief tries again.

/// Nobody is paid more than they have.
struct payments : troupe::monitor {
  int paid = 0;
  void pays(int amount) {
    paid += amount;
    troupe::check(paid <= deposit,
                  "the bank has paid " + std::to_string(paid) + " for a deposit of " + std::to_string(deposit));
  }
};

struct bank_state {
  bank_state() = default;
  static inline const char* name = "bank";
  int balance = deposit;
};

caf::behavior bank(caf::stateful_actor<bank_state>* self, const caf::actor& wallet, variant which) {
  // The mistake: the money is on the balance until the receipt comes.
  const bool takes_off_late = which == variant::buggy;
  return {[=](withdraw_atom, int amount) {
    if (self->state.balance < amount)
      return;
    if (!takes_off_late)
      self->state.balance -= amount;
    troupe::observe<payments>().pays(amount);
    self->request(wallet, caf::infinite, pay_atom::value, amount).then([=](receipt_atom) {
      if (takes_off_late)
        self->state.balance -= amount;
    });
  }};
}

struct wallet_state {
  wallet_state() = default;
  static inline const char* name = "wallet";
  caf::actor owner;
};

caf::behavior wallet(caf::stateful_actor<wallet_state>* self) {
  return {
      [=](own_atom) { self->state.owner = caf::actor_cast<caf::actor>(self->current_sender()); },
      [=](pay_atom, int amount) {
        self->send(self->state.owner, paid_atom::value, amount);
        return receipt_atom::value;
      },
  };
}

struct thief_state {
  thief_state() = default;
  static inline const char* name = "thief";
  int tries_left = greed;
};

caf::behavior thief(caf::stateful_actor<thief_state>* self, const caf::actor& victim, const caf::actor& purse) {
  self->send(purse, own_atom::value);
  self->send(victim, withdraw_atom::value, deposit);
  return {[=](paid_atom, int) {
    if (self->state.tries_left-- > 0)
      self->send(victim, withdraw_atom::value, deposit);
  }};
}

void rob(troupe::simulator& sim, variant which) {
  const auto purse = sim.caf().spawn(wallet);
  const auto victim = sim.caf().spawn(bank, purse, which);
  sim.caf().spawn(thief, victim, purse);
  sim.run_until_idle();
}

} // namespace

void add_dao(troupe::scenario_set& scenarios) {
  add_variants(scenarios, "dao", "a bank pays before it takes the money off the balance", rob);
}

} // namespace protocols
