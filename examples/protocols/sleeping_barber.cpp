// The sleeping barber: customers sit down in a waiting room of few seats, or go away if it is full.
//
// The barber asks the room for the next customer. If there is none he falls asleep, and says so. A customer who sits
// down while he sleeps has the room wake him.
//
// The mistake: the room believes what the barber says without a look at its seats. A customer who sits down after the
// barber was told that nobody is there, and before he says that he sleeps, wakes nobody. The next one who comes would,
// unless the room is full: then they all go away, and the barber sleeps for ever. (Dijkstra, EWD 123, 1965; the
// benchmark is Barber of Imam, Sarkar, "Savina: An Actor Benchmark Suite", AGERE 2014.)
#include "examples/protocols/protocols.hpp"
#include "sim/simulator.hpp"
#include <caf/all.hpp>
#include <deque>

namespace protocols {
namespace {

using enter_atom = caf::atom_constant<caf::atom("enter")>;
using full_atom = caf::atom_constant<caf::atom("full")>;
using wake_atom = caf::atom_constant<caf::atom("wake")>;
using next_atom = caf::atom_constant<caf::atom("next")>;
using nobody_atom = caf::atom_constant<caf::atom("nobody")>;
using asleep_atom = caf::atom_constant<caf::atom("asleep")>;
using shave_atom = caf::atom_constant<caf::atom("shave")>;
using shaved_atom = caf::atom_constant<caf::atom("shaved")>;

/// Is shown by its number.
struct customer_ref {
  caf::actor handle;
  int number = 0;
};
template <class Inspector>
auto inspect(Inspector& f, customer_ref& x) {
  return f(caf::meta::type_name("customer"), x.number);
}

constexpr std::size_t seats = 1;
constexpr int customers = 3;

/// Who has sat down is shaved some time.
struct patience : troupe::monitor {
  int sitting = 0;
  void sits_down() {
    ++sitting;
    become_hot("the barber shaves the customer who sits in the waiting room");
  }
  void gets_up() {
    if (--sitting == 0)
      become_cold();
  }
};

struct room_state {
  room_state() = default;
  static inline const char* name = "room";
  std::deque<customer_ref> sitting;
  bool is_barber_asleep = true;
};

caf::behavior waiting_room(caf::stateful_actor<room_state>* self, const caf::actor& barber, variant which) {
  const auto wake_barber = [=] {
    self->state.is_barber_asleep = false;
    self->send(barber, wake_atom::value);
  };
  return {
      [=](enter_atom, int number) {
        const auto customer = caf::actor_cast<caf::actor>(self->current_sender());
        if (self->state.sitting.size() == seats) {
          self->send(customer, full_atom::value);
          return;
        }
        self->state.sitting.push_back({customer, number});
        troupe::observe<patience>().sits_down();
        if (self->state.is_barber_asleep)
          wake_barber();
      },
      [=](next_atom) {
        if (self->state.sitting.empty()) {
          self->send(barber, nobody_atom::value);
          return;
        }
        self->send(barber, shave_atom::value, self->state.sitting.front());
        self->state.sitting.pop_front();
        troupe::observe<patience>().gets_up();
      },
      [=](asleep_atom) {
        self->state.is_barber_asleep = true;
        // The mistake: nobody looks who has sat down meanwhile.
        if (which == variant::fixed && !self->state.sitting.empty())
          wake_barber();
      },
  };
}

struct barber_state {
  barber_state() = default;
  static inline const char* name = "barber";
};

caf::behavior barber(caf::stateful_actor<barber_state>* self) {
  const auto room = [=] { return caf::actor_cast<caf::actor>(self->current_sender()); };
  return {
      [=](wake_atom) { self->send(room(), next_atom::value); },
      [=](shave_atom, const customer_ref& customer) {
        self->send(customer.handle, shaved_atom::value);
        self->send(room(), next_atom::value);
      },
      [=](nobody_atom) { self->send(room(), asleep_atom::value); },
  };
}

struct customer_state {
  customer_state() = default;
  static inline const char* name = "customer";
};

caf::behavior customer(caf::stateful_actor<customer_state>* self, const caf::actor& room, int number) {
  self->send(room, enter_atom::value, number);
  return {
      [=](shaved_atom) { self->quit(); },
      [=](full_atom) { self->quit(); },
  };
}

void open_the_shop(troupe::simulator& sim, variant which) {
  const auto room = sim.caf().spawn(waiting_room, sim.caf().spawn(barber), which);
  for (int number = 1; number <= customers; ++number)
    sim.caf().spawn(customer, room, number);
  sim.run_until_idle();
}

} // namespace

void add_sleeping_barber(troupe::scenario_set& scenarios) {
  add_variants(scenarios, "sleeping-barber",
               "the barber sleeps at a full room, since a customer came as he fell asleep", open_the_shop);
}

} // namespace protocols
