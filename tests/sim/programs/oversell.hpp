// The bug that the simulator's own tests plant: two clients read a stock of one and then reserve what they saw.
#pragma once
#include "actors/ask.hpp"
#include "sim/simulator.hpp"
#include <caf/all.hpp>

namespace troupe::testing {

TROUPE_ATOM(read_atom, "read");
TROUPE_ATOM(reserve_atom, "reserve");
} // namespace troupe::testing

TROUPE_BEGIN_MESSAGES(oversell, caf::first_custom_type_id);
TROUPE_MESSAGE(oversell, (troupe::testing::read_atom));
TROUPE_MESSAGE(oversell, (troupe::testing::reserve_atom));
TROUPE_END_MESSAGES(oversell);

namespace troupe::testing {

/// An ordinary CAF actor. `oversold` is called from its handler.
inline caf::actor spawn_stock(caf::actor_system& host, std::function<void()> oversold) {
  return host.spawn([oversold = std::move(oversold)](caf::event_based_actor*) -> caf::behavior {
    auto left = std::make_shared<int>(1);
    return {
        [left](read_atom) { return *left; },
        [left, oversold](reserve_atom) {
          if (--*left < 0)
            oversold();
          return *left;
        },
    };
  });
}

inline async<void> buy(caf::actor stock, int hesitation) {
  using namespace std::chrono_literals;
  for (int i = 0; i < hesitation; ++i)
    co_await yield();
  auto left = co_await ask<int>(stock, 10s, read_atom{});
  if (left && *left > 0)
    (void)co_await ask<int>(stock, 10s, reserve_atom{});
}

/// In the default order the second client hesitates until the first one has reserved.
inline void sell_twice(simulator& sim, std::function<void()> oversold) {
  auto shop = sim.root().open_session({.name = "shop"});
  auto stock = spawn_stock(sim.caf(), std::move(oversold));
  (void)shop.own(stock, "stock");
  shop.spawn([stock] { return buy(stock, 0); }, {.name = "first"}).detach();
  shop.spawn([stock] { return buy(stock, 12); }, {.name = "second"}).detach();
  sim.run_until_idle();
}

} // namespace troupe::testing
