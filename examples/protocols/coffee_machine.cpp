// A coffee machine that is switched off and on again at any time, and has to go on with what its parts say.
//
// The controller connects to the water tank and to the grinder, which have all of the state that lasts, and reads what
// is in them. If there are water and beans it grinds until the filter is full, then lets water through. A driver asks
// each controller for one coffee, and terminates it when it has it, or some time before. It then starts the next
// controller.
//
// A turn of the grinder takes beans without looking how many are left: the hopper's sensor can end below zero. The
// controller hears that the hopper is empty, and has it refilled, unless it is terminated before, or is pouring
// already.
//
// The mistake: the controller takes a hopper for empty if the level is zero. The next one reads -5, and grinds an empty
// hopper. (The sample CoffeeMachineActors of Microsoft Coyote, without its door and its heater.)
#include "examples/protocols/protocols.hpp"
#include "sim/simulator.hpp"
#include <caf/all.hpp>
#include <chrono>
#include <optional>
#include <string>

namespace protocols {
namespace {

using namespace std::chrono_literals;

using connect_atom = caf::atom_constant<caf::atom("connect")>; ///< Answered with the level.
using grind_atom = caf::atom_constant<caf::atom("grind")>;
using turn_atom = caf::atom_constant<caf::atom("turn")>;
using filter_atom = caf::atom_constant<caf::atom("filter")>;
using no_beans_atom = caf::atom_constant<caf::atom("no_beans")>;
using pour_atom = caf::atom_constant<caf::atom("pour")>;
using pumped_atom = caf::atom_constant<caf::atom("pumped")>;
using poured_atom = caf::atom_constant<caf::atom("poured")>;
using no_water_atom = caf::atom_constant<caf::atom("no_water")>;
using off_atom = caf::atom_constant<caf::atom("off")>;
using coffee_atom = caf::atom_constant<caf::atom("coffee")>;
using refill_atom = caf::atom_constant<caf::atom("refill")>;
using halt_atom = caf::atom_constant<caf::atom("halt")>;
using terminate_atom = caf::atom_constant<caf::atom("terminate")>;
using terminated_atom = caf::atom_constant<caf::atom("terminated")>;

constexpr auto turn_time = 100ms; ///< Of the grinder. The pump takes as long for a coffee.
constexpr int beans_per_turn = 10;
constexpr int filter_per_turn = 50;

struct tank_state {
  tank_state() = default;
  static inline const char* name = "tank";
  caf::actor controller;
  int level = 0;
  bool is_pumping = false;
};

caf::behavior water_tank(caf::stateful_actor<tank_state>* self, int level) {
  self->state.level = level;
  return {
      [=](connect_atom) {
        self->state.controller = caf::actor_cast<caf::actor>(self->current_sender());
        return self->state.level;
      },
      [=](pour_atom) {
        troupe::check(self->state.level > 0, "the pump is switched on and its tank is empty");
        self->state.is_pumping = true;
        self->delayed_send(self, turn_time, pumped_atom::value);
      },
      [=](pumped_atom) {
        if (!std::exchange(self->state.is_pumping, false))
          return;
        if (--self->state.level > 0)
          self->send(self->state.controller, poured_atom::value);
        else
          self->send(self->state.controller, no_water_atom::value);
      },
      [=](off_atom) { self->state.is_pumping = false; },
  };
}

struct grinder_state {
  grinder_state() = default;
  static inline const char* name = "grinder";
  caf::actor controller;
  int beans = 0;
  int filter = 0;
  bool is_grinding = false;
};

caf::behavior grinder(caf::stateful_actor<grinder_state>* self, int beans) {
  self->state.beans = beans;
  return {
      [=](connect_atom) {
        self->state.controller = caf::actor_cast<caf::actor>(self->current_sender());
        self->state.filter = 0; // Old grinds are dumped.
        return self->state.beans;
      },
      [=](grind_atom) {
        troupe::check(self->state.beans > 0, "the grinder is switched on and its hopper is empty: its level is " +
                                                 std::to_string(self->state.beans));
        self->state.is_grinding = true;
        self->delayed_send(self, turn_time, turn_atom::value);
      },
      [=](turn_atom) {
        auto& [controller, hopper, filter, is_grinding] = self->state;
        if (!is_grinding)
          return;
        hopper -= beans_per_turn;
        filter += filter_per_turn;
        is_grinding = hopper > 0 && filter < 100;
        self->send(controller, filter_atom::value, filter);
        if (hopper <= 0)
          self->send(controller, no_beans_atom::value);
        if (is_grinding)
          self->delayed_send(self, turn_time, turn_atom::value);
      },
      [=](off_atom) { self->state.is_grinding = false; },
  };
}

struct controller_state {
  controller_state() = default;
  static inline const char* name = "controller";
  std::optional<int> water;
  std::optional<int> beans;
  bool is_grinding = false;
};

caf::behavior controller(caf::stateful_actor<controller_state>* self, const caf::actor& driver, const caf::actor& tank,
                         const caf::actor& mill, variant which) {
  const auto make_coffee = [=] {
    const auto& [water, beans, is_grinding] = self->state;
    if (!water || !beans)
      return;
    // The mistake: a level below zero is taken for beans.
    const bool has_beans = which == variant::buggy ? *beans != 0 : *beans > 0;
    if (*water <= 0 || !has_beans) {
      self->send(driver, refill_atom::value);
      return;
    }
    self->state.is_grinding = true;
    self->send(mill, grind_atom::value);
  };
  self->request(tank, caf::infinite, connect_atom::value).then([=](int level) {
    self->state.water = level;
    make_coffee();
  });
  self->request(mill, caf::infinite, connect_atom::value).then([=](int level) {
    self->state.beans = level;
    make_coffee();
  });
  return {
      [=](filter_atom, int percent) {
        if (percent < 100)
          return;
        self->state.is_grinding = false;
        self->send(tank, pour_atom::value);
      },
      [=](no_beans_atom) {
        if (std::exchange(self->state.is_grinding, false))
          self->send(driver, refill_atom::value);
      },
      [=](poured_atom) { self->send(driver, coffee_atom::value); },
      [=](no_water_atom) { self->send(driver, refill_atom::value); },
      [=](terminate_atom) {
        self->send(tank, off_atom::value);
        self->send(mill, off_atom::value);
        self->send(driver, terminated_atom::value);
        self->quit();
      },
  };
}

constexpr int controllers = 2;

struct driver_state {
  driver_state() = default;
  static inline const char* name = "driver";
  caf::actor controller;
  int started = 0;
  bool is_terminating = false;
  bool needs_refill = false; ///< Which ends the test: what it is about is to go on without.
};

caf::behavior driver(caf::stateful_actor<driver_state>* self, const caf::actor& tank, const caf::actor& mill,
                     variant which) {
  const auto start = [=] {
    ++self->state.started;
    self->state.is_terminating = false;
    self->state.controller = self->spawn(controller, caf::actor_cast<caf::actor>(self), tank, mill, which);
    const auto turns = 1 + troupe::choose(4);
    self->delayed_send(self, turns * turn_time, halt_atom::value, self->state.started);
  };
  const auto terminate = [=] {
    if (!std::exchange(self->state.is_terminating, true))
      self->send(self->state.controller, terminate_atom::value);
  };
  start();
  return {
      [=](coffee_atom) { terminate(); },
      [=](refill_atom) {
        self->state.needs_refill = true;
        terminate();
      },
      [=](halt_atom, int which_one) {
        if (which_one == self->state.started)
          terminate();
      },
      [=](terminated_atom) {
        if (self->state.started < controllers && !self->state.needs_refill)
          start();
      },
  };
}

void make_two_coffees(troupe::simulator& sim, variant which) {
  const auto water = 5 - static_cast<int>(troupe::choose(6));
  const auto beans = 100 - 5 * static_cast<int>(troupe::choose(20));
  const auto tank = sim.caf().spawn(water_tank, water);
  const auto mill = sim.caf().spawn(grinder, beans);
  sim.caf().spawn(driver, tank, mill, which);
  sim.run_until_rest();
}

} // namespace

void add_coffee_machine(troupe::scenario_set& scenarios) {
  add_variants(scenarios, "coffee-machine", "a hopper whose sensor has gone below zero is not taken for empty",
               make_two_coffees);
}

} // namespace protocols
