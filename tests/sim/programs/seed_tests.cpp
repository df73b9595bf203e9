// A test program whose tests fail on purpose: what the tests of the doctest macro look at.
#include "sim/doctest.hpp"
#include "tests/sim/programs/oversell.hpp"
#include <cstdio>

using namespace troupe;

TROUPE_SIM_TEST("passing", 20) {
  std::puts("a run of passing");
  CHECK(sim.root().state() == session_state::open);
}

TROUPE_SIM_TEST("check in the body", 2'000) {
  bool is_oversold = false;
  testing::sell_twice(sim, [&] { is_oversold = true; });
  CHECK_FALSE(is_oversold);
}

TROUPE_SIM_TEST("require in an actor", 2'000) {
  testing::sell_twice(sim, [] { REQUIRE(std::string("oversold").empty()); });
}

TROUPE_SIM_TEST("check, in a \"task\"", 2'000) {
  auto count = std::make_shared<int>(0);
  for (int i = 0; i < 2; ++i)
    sim.root()
        .spawn([count, i]() -> async<void> {
          co_await yield();
          CHECK_MESSAGE(++*count > i, "the second one was first");
        })
        .detach();
  sim.run_until_idle();
}

TROUPE_SIM_TEST("verdict", 2'000) {
  testing::sell_twice(sim, [&sim] { sim.fail("oversold"); });
}

TROUPE_SIM_TEST_WITH("step limit", 1, (simulation_options{.seed = 41, .max_steps = 5})) {
  testing::sell_twice(sim, [] {});
}

TROUPE_SIM_TEST("warnings do not fail", 5) {
  WARN(sim.root().state() == session_state::closed);
  MESSAGE("said");
}
