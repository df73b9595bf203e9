// What README.md shows of actors and the simulator: the snippets are copied from here, line by line.
#include "sim/doctest.hpp"
#include "troupe.hpp"
#include <caf/all.hpp>

using namespace std::chrono_literals;

using count_atom = caf::atom_constant<caf::atom("count")>;
using take_atom = caf::atom_constant<caf::atom("take")>;

// An ordinary CAF actor.
caf::behavior shelf(caf::stateful_actor<int>* self, int books) {
  self->state = books;
  return {
      [self](count_atom) { return self->state; },
      [self](take_atom) { return self->state > 0 && self->state-- > 0; },
  };
}

// A task that asks it. No thread waits for the reply.
troupe::async<bool> buy(caf::actor shelf) {
  caf::expected<int> left = co_await troupe::ask<int>(shelf, 1s, count_atom::value);
  if (!left || *left == 0)
    co_return false;
  caf::expected<bool> taken = co_await troupe::ask<bool>(shelf, 1s, take_atom::value);
  co_return taken ? *taken : false;
}

TROUPE_SIM_TEST("the last book is sold once, in whatever order", 200) {
  auto shop = sim.root().open_session({.name = "shop"});
  auto books = sim.caf().spawn(shelf, 1);
  REQUIRE(!shop.own(books, "shelf"));
  auto first = shop.spawn([=] { return buy(books); }, {.name = "first"});
  auto second = shop.spawn([=] { return buy(books); }, {.name = "second"});
  bool first_got_it = *sim.block_on(std::move(first));
  bool second_got_it = *sim.block_on(std::move(second));
  CHECK(first_got_it != second_got_it);
}

TROUPE_SIM_TEST("a day passes at once", 10) {
  auto alarm = sim.sys().background().timer(24h);
  sim.run_for(23h);
  CHECK(!alarm.is_ready());
  sim.run_for(1h);
  CHECK(alarm.is_ready());
}
