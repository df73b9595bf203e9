// What programs under test say of themselves: choices, failures, monitors, invariants.
#include "sim/explore.hpp"
#include "sim/simulator.hpp"
#include "sim/specification.hpp"
#include "sim/strategies.hpp"
#include "sim/tape_strategy.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <set>
#include <stdexcept>

using namespace troupe;

namespace {

explore_result search(const std::function<void(simulator&)>& body, const std::string& spec,
                      simulation_options options = {}, std::uint64_t limit = 10'000) {
  auto run = make_runner(body, options);
  return explore(run, make_strategies(spec, run, options.model), {.seeds = limit});
}

struct lamp : monitor {
  void on() { become_hot("the lamp is to be switched off"); }
  void off() { become_cold(); }
};

} // namespace

TEST_CASE("a choice takes every value, in every exhaustive search, and is kept on the tape") {
  for (auto* spec : {"dfs", "dpor"}) {
    std::multiset<std::uint64_t> seen;
    auto result = search(
        [&](simulator& sim) {
          sim.caf().spawn([&](caf::event_based_actor*) { seen.insert(10 * choose(2) + choose(3)); });
          sim.run_until_idle();
        },
        spec);
    CHECK(result.is_proven);
    CHECK(std::set<std::uint64_t>(seen.begin(), seen.end()) == std::set<std::uint64_t>{0, 1, 2, 10, 11, 12});
  }
  std::uint64_t got = 0;
  auto body = [&](simulator& sim) { got = sim.choose(1'000); };
  auto first = simulator::once(5, body);
  auto chosen = got;
  REQUIRE(first.decisions.size() == 1);
  CHECK(first.decisions[0].kind == decision_kind::random);
  tape_strategy replay(first.decisions);
  make_runner(body, {})(77, replay, false);
  CHECK(got == chosen);
}

TEST_CASE("a choice among one is none, and among nothing an error") {
  auto result = simulator::once(0, [](simulator&) { CHECK(choose(1) == 0); });
  CHECK(result.decisions.empty());
  CHECK_THROWS_AS(choose(0), std::logic_error);
}

TEST_CASE("outside of a run the calls say so") {
  CHECK_THROWS_WITH_AS(choose(2), doctest::Contains("outside of a simulated run"), std::logic_error);
  CHECK_THROWS_AS(fail("no"), std::logic_error);
  CHECK_THROWS_AS(observe<lamp>(), std::logic_error);
}

TEST_CASE("a plain actor fails the run") {
  auto result = simulator::once(0, [](simulator& sim) {
    auto a = sim.caf().spawn(
        [](caf::event_based_actor*) -> caf::behavior { return {[](int n) { check(n < 2, "too many"); }}; });
    for (int i = 0; i < 3; ++i)
      caf::anon_send(a, i);
    sim.run_until_idle();
  });
  CHECK(result.end == verdict::failed);
  CHECK(result.message == "too many");
}

TEST_CASE("a monitor that is hot at rest, or for too long, is a failure of liveness") {
  auto switching = [](int times, bool ends_on) {
    return [=](simulator& sim) {
      auto a = sim.caf().spawn([=](caf::event_based_actor*) -> caf::behavior {
        return {[](bool on) { on ? observe<lamp>().on() : observe<lamp>().off(); }};
      });
      for (int i = 0; i < times; ++i) {
        caf::anon_send(a, true);
        caf::anon_send(a, false);
      }
      if (ends_on)
        caf::anon_send(a, true);
      sim.run_until_idle();
    };
  };
  CHECK_FALSE(simulator::once(0, switching(3, false)).is_failure());
  auto hot = simulator::once(0, switching(3, true));
  CHECK(hot.end == verdict::liveness);
  CHECK(hot.message == "awaited when the run came to rest: the lamp is to be switched off");
  auto forever = [](simulator& sim) {
    auto a = sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
      observe<lamp>().on();
      self->send(self, 1);
      return {[=](int n) { self->send(self, n); }};
    });
    sim.run_until_idle();
  };
  auto too_long = simulator::once(0, forever, {.temperature_max = 50});
  CHECK(too_long.end == verdict::liveness);
  CHECK(too_long.steps < 200);
  // A limit that is no failure.
  CHECK(simulator::once(0, forever, {.max_steps = 500}).end == verdict::step_limit);
  auto cut_short = simulator::once(0, forever, {.max_steps = 500, .fail_on_step_limit = false});
  CHECK(cut_short.end == verdict::ok);
  CHECK(cut_short.steps == 500);
}

TEST_CASE("an invariant is checked after each event") {
  auto body = [](simulator& sim) {
    auto sum = std::make_shared<int>(0);
    sim.invariant("the sum is even", [=] { return *sum % 2 == 0; });
    auto a = sim.caf().spawn([=](caf::event_based_actor*) -> caf::behavior { return {[=](int n) { *sum += n; }}; });
    for (int n : {2, 4, 1, 1})
      caf::anon_send(a, n);
    sim.run_until_idle();
  };
  auto result = simulator::once(0, body);
  CHECK(result.end == verdict::invariant);
  CHECK(result.message == "the invariant 'the sum is even' does not hold any more");
}
