// Sampling strategies: each keeps the guarantee that its paper states, and repeats itself under its seed.
#include "sim/actor_state.hpp"
#include "sim/pct_strategy.hpp"
#include "sim/profile.hpp"
#include "sim/random_values.hpp"
#include "sim/simulator.hpp"
#include "sim/specification.hpp"
#include "sim/strategies.hpp"
#include "tests/sim/programs/oversell.hpp"
#include "tests/sim/reversed_arrivals.hpp"
#include <caf/all.hpp>
#include <cmath>
#include <doctest/doctest.h>
#include <map>
#include <numeric>
#include <set>

using namespace troupe;
using troupe::testing::hit_rate;
using troupe::testing::reversed_arrivals;

namespace {

/// Two senders with three messages each for one receiver, while a third one sends elsewhere. Fills `order` with who was
/// heard.
runner two_senders(std::string& order) {
  return make_runner(
      [&order](simulator& sim) {
        order.clear();
        auto receiver = sim.caf().spawn(
            [&order](caf::event_based_actor*) -> caf::behavior { return {[&order](char who) { order += who; }}; });
        auto elsewhere = sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](char) {}}; });
        for (auto [who, to] : {std::pair{'a', receiver}, {'b', receiver}, {'c', elsewhere}})
          sim.caf().spawn([who = who, to = to](caf::event_based_actor* self) {
            for (int i = 0; i < 3; ++i)
              self->send(to, who);
          });
        sim.run_until_idle();
      },
      {});
}

/// Three poll until a fourth has heard from a fifth, who polls too.
void poll(simulator& sim) {
  auto done = std::make_shared<bool>(false);
  auto switched = sim.caf().spawn(
      [done](caf::event_based_actor*) -> caf::behavior { return {[done](int left) { *done = left == 0; }}; });
  for (int i = 0; i < 4; ++i)
    sim.caf().spawn([=](caf::event_based_actor* self) -> caf::behavior {
      self->send(self, 10);
      return {[=](int left) {
        if (i == 3)
          self->send(switched, left);
        if (i == 3 ? left > 0 : !*done)
          self->send(self, i == 3 ? left - 1 : left);
      }};
    });
  sim.run_until_idle();
}

} // namespace

TEST_CASE("pct, pctcp and delay hit a bug of their depth at least as often as their bounds say" *
          doctest::test_suite("slow")) {
  constexpr std::uint64_t seeds = 3'000;
  for (int k : {2, 3}) {
    auto run = reversed_arrivals(k);
    profile_source measured{run};
    auto profile = measured.get(0);
    const auto depth = std::to_string(k);
    // Whoever acts: the test, the actors, and Troupe's own.
    const auto participants = 4.0 + 6 + k;
    auto pct = 1 / (participants * std::pow(static_cast<double>(profile->decisions), k - 1));
    auto pctcp = 1 / (participants * participants * std::pow(static_cast<double>(profile->events), k - 1));
    auto delay = 1.0 / k / std::pow(static_cast<double>(profile->decisions), k);
    CHECK(hit_rate("pct:depth=" + depth, run, seeds) >= pct);
    CHECK(hit_rate("pctcp:depth=" + depth, run, seeds) >= pctcp);
    CHECK(hit_rate("delay:delays=" + depth, run, seeds) >= delay);
  }
}

TEST_CASE("surw meets all orders of a contested place about equally often, where a random walk does not" *
          doctest::test_suite("slow")) {
  constexpr std::uint64_t seeds = 4'000;
  std::string order;
  auto run = two_senders(order);
  const auto extremes = [&](const std::string& spec) {
    auto strategies = make_strategies(spec, run);
    std::map<std::string, double> share;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      run(seed, *strategies(seed), false);
      share[order] += 1.0 / seeds;
    }
    CHECK(share.size() == 20);
    auto [least, most] =
        std::minmax_element(share.begin(), share.end(), [](auto& a, auto& b) { return a.second < b.second; });
    return std::pair{least->second, most->second};
  };
  auto [least, most] = extremes("surw");
  MESSAGE("surw " << least << " to " << most);
  CHECK(least > 0.75 / 20);
  CHECK(most < 1.3 / 20);
  CHECK(extremes("random").second > 2.0 / 20);
}

TEST_CASE("programs that poll come to an end under every sampling strategy" * doctest::test_suite("slow")) {
  for (auto model : {order_model::local, order_model::atomic}) {
    simulation_options options;
    options.model = model;
    options.max_steps = 20'000;
    auto run = make_runner(poll, options);
    for (auto& known : known_strategies()) {
      auto strategies = make_strategies(known.name, run, model);
      if (strategies.is_exhaustive)
        continue;
      INFO(known.name);
      for (std::uint64_t seed = 0; seed < 50; ++seed)
        REQUIRE(run(seed, *strategies(seed), false).end == verdict::ok);
    }
  }
}

TEST_CASE("what is known of a program beforehand follows from the seed alone, and is more for later seeds") {
  // A run more for every 50 seeds, up to 60: the runs may happen in another process, so they cannot be counted here.
  const auto program = reversed_arrivals(3);
  profile_source one{program}, other{program};
  const auto early = one.get(49), next = one.get(50), late = one.get(1'000'000);
  CHECK(one.get(0) == early);
  CHECK(next != early);
  CHECK(one.get(99) == next);
  CHECK(one.get(2'749) != late);
  CHECK(one.get(2'750) == late);
  CHECK(late->decisions >= early->decisions);
  const auto at_once = other.get(1'000'000);
  CHECK(at_once->picks == late->picks);
  CHECK(at_once->decisions == late->decisions);
  CHECK(at_once->events == late->events);
  CHECK(at_once->contested == late->contested);
  CHECK(!late->contested.empty()); // the receiver above all
}

TEST_CASE("choices are one-sided in some schedules") {
  int heads = 0, six_heads = 0, of_three[3] = {};
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    random_source random{seed};
    random_values values{mix(seed, 1)};
    int row = 0;
    while (row < 6 && values.pick(random, 2) == 1)
      ++row;
    heads += row > 0;
    six_heads += row == 6;
    ++of_three[values.pick(random, 3)];
    CHECK(values.pick(random, 1) == 0);
    CHECK(values.pick(random, 1'000) < 1'000);
  }
  CHECK(heads == doctest::Approx(10'000).epsilon(0.03));
  CHECK(six_heads == doctest::Approx(20'000 / 7.0).epsilon(0.06));
  for (auto each : of_three)
    CHECK(each == doctest::Approx(20'000 / 3.0).epsilon(0.04));
}

// The rates of a prototype on deliveries as single events, with noise to match.
TEST_CASE("pos, pct and pctcp reverse k arrivals at least as often as expected of them" * doctest::test_suite("slow")) {
  constexpr std::uint64_t seeds = 2'000;
  struct expected {
    int k;
    double pos, pct, pctcp;
  };
  for (auto& least : {expected{2, .288, .449, .461}, {3, .041, .101, .101}, {4, .0053, .0122, .0127}}) {
    auto run = reversed_arrivals(least.k);
    const auto depth = ":depth=" + std::to_string(least.k);
    CHECK(hit_rate("pos", run, seeds) >= least.pos);
    CHECK(hit_rate("pct" + depth, run, seeds) >= least.pct);
    CHECK(hit_rate("pctcp" + depth, run, seeds) >= least.pctcp);
  }
}

TEST_CASE("strategies that know of priorities and races reverse arrivals more often than a random walk" *
          doctest::test_suite("slow")) {
  constexpr std::uint64_t seeds = 3'000;
  auto run = reversed_arrivals(3);
  auto walk = hit_rate("random", run, seeds);
  for (auto* spec : {"pct:depth=3", "pctcp:depth=3", "pos", "surw:places=1", "speeds"}) {
    auto rate = hit_rate(spec, run, seeds);
    MESSAGE(std::string(spec) << " " << rate << ", random " << walk);
    CHECK(rate > walk);
  }
}

TEST_CASE("every sampling strategy repeats itself under its seed, in every order model, and varies between seeds") {
  for (auto model : {order_model::local, order_model::atomic})
    for (auto& known : known_strategies()) {
      auto run = reversed_arrivals(3, model);
      auto one = make_strategies(known.name, run, model), other = make_strategies(known.name, run, model);
      if (one.is_exhaustive)
        continue;
      INFO(known.name);
      std::set<std::uint64_t> traces;
      for (std::uint64_t seed = 0; seed < 40; ++seed) {
        auto first = run(seed, *one(seed), false), second = run(seed, *other(seed), false);
        REQUIRE(first.trace_hash == second.trace_hash);
        traces.insert(first.trace_hash);
      }
      if (known.name != "fifo")
        CHECK(traces.size() > 10);
    }
}

TEST_CASE("a strategy that learns can be asked for any schedule of a row") {
  auto run = reversed_arrivals(3);
  auto in_a_row = make_strategies("ql", run), at_once = make_strategies("ql", run);
  std::uint64_t last = 0;
  for (std::uint64_t seed = 0; seed <= 30; ++seed)
    last = run(seed, *in_a_row(seed), false).trace_hash;
  CHECK(run(30, *at_once(30), false).trace_hash == last);
}

TEST_CASE("ql learns what a participant does with the values that it asks for, a random walk does not") {
  struct coin_state {
    int heads = 0;
    int left = 60;
  };
  const auto run = make_runner(
      [](simulator& sim) {
        auto coin = sim.caf().spawn([](caf::stateful_actor<coin_state>* self) -> caf::behavior {
          expose_state(self, [self] { return std::to_string(state_of(*self).heads); });
          self->send(self, testing::read_atom{});
          return {[self](testing::read_atom) {
            auto& state = state_of(*self);
            state.heads = choose(2) == 1 ? state.heads + 1 : 0;
            check(state.heads < 11, "eleven heads in a row");
            if (--state.left > 0)
              self->send(self, testing::read_atom{});
          }};
        });
        sim.run_until_idle();
      },
      {});
  const auto failures = [&](const char* spec) {
    const auto make = make_strategies(spec, run);
    int count = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed)
      count += run(seed, *make(seed), false).is_failure();
    return count;
  };
  CHECK(failures("ql") > 4 * failures("random") + 10);
}

TEST_CASE("members of the portfolio use narrower order models, but not where faults of messages need the chosen one") {
  const auto models = [](order_model chosen, fault_options faults) {
    const auto run = make_runner(
        [](simulator& sim) {
          auto receiver = sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; });
          for (int i = 0; i < 3; ++i)
            sim.caf().spawn([=](caf::event_based_actor* self) { self->send(receiver, i); });
          sim.run_until_idle();
        },
        {.model = chosen, .faults = faults});
    const auto make = make_strategies("portfolio", run, chosen);
    std::set<order_model> seen;
    for (std::uint64_t seed = 0; seed < 32; ++seed) {
      const auto ran = run(seed, *make(seed), false);
      REQUIRE_MESSAGE(!ran.is_failure(), ran.message);
      seen.insert(ran.model);
    }
    return seen;
  };
  using in = std::set<order_model>;
  CHECK(models(order_model::atomic, {}) == in{order_model::atomic});
  CHECK(models(order_model::local, {}) == in{order_model::local, order_model::atomic});
  CHECK(models(order_model::network, {}) == in{order_model::network, order_model::local, order_model::atomic});
  CHECK(models(order_model::unordered, {}) == in{order_model::unordered, order_model::local, order_model::atomic});
  CHECK(models(order_model::network, {.crash = 1}).size() == 3);
  CHECK(models(order_model::network, {.drop = 1}) == in{order_model::network});
}

TEST_CASE("change points are all different and within the run") {
  random_source random{3};
  auto changes = random_changes(random, 9, 20);
  CHECK(changes.size() == 9);
  std::set<std::int64_t> priorities;
  for (auto& [at, priority] : changes) {
    CHECK(at >= 1);
    CHECK(at <= 20);
    priorities.insert(priority);
  }
  CHECK(*priorities.begin() == -9);
  CHECK(*priorities.rbegin() == -1);
  CHECK(random_changes(random, 9, 4).size() == 4);
}
