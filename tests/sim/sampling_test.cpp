// Sampling strategies: each keeps the guarantee that its paper states, and repeats itself under its seed.
#include "sim/pct_strategy.hpp"
#include "sim/profile.hpp"
#include "sim/simulator.hpp"
#include "sim/strategies.hpp"
#include <caf/all.hpp>
#include <cmath>
#include <doctest/doctest.h>
#include <numeric>
#include <set>

using namespace troupe;

namespace {

/// `k` participants send one message each to one receiver, the i-th after 3 * i messages to itself, amid the noise of
/// five others; the run fails if they arrive in exactly the reverse order. A bug of depth `k`. A random walk over
/// deliveries that are one event each finds it at a rate of .11 for k = 2, .0035 for k = 3, and below .0002 for k = 4.
runner reversed_arrivals(int k, order_model model = order_model::local) {
  auto body = [k](simulator& sim) {
    auto seen = std::make_shared<std::vector<int>>();
    auto receiver = sim.caf().spawn([&sim, seen, k](caf::event_based_actor*) -> caf::behavior {
      return {[&sim, seen, k](int who) {
        seen->push_back(who);
        if (static_cast<int>(seen->size()) == k && std::is_sorted(seen->rbegin(), seen->rend()))
          sim.fail("reversed");
      }};
    });
    for (int i = 0; i < k; ++i)
      sim.caf().spawn([receiver, i](caf::event_based_actor* self) -> caf::behavior {
        const auto go_on = [=](int left) {
          if (left > 0)
            self->send(self, left - 1);
          else
            self->send(receiver, i);
        };
        go_on(3 * i);
        return {go_on};
      });
    auto elsewhere = sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; });
    for (int i = 0; i < 5; ++i)
      sim.caf().spawn([elsewhere](caf::event_based_actor* self) {
        for (int n = 0; n < 3; ++n)
          self->send(elsewhere, n);
      });
    sim.run_until_idle();
  };
  simulation_options options;
  options.model = model;
  return make_runner(body, options);
}

double hit_rate(const std::string& spec, const runner& run, std::uint64_t seeds) {
  auto strategies = make_strategies(spec, run);
  std::uint64_t hits = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed)
    hits += run(seed, *strategies(seed), false).end == verdict::failed;
  return static_cast<double>(hits) / static_cast<double>(seeds);
}

/// What a measured rate may lie below its expectation by chance.
double slack(double rate, std::uint64_t seeds) { return 4 * std::sqrt(rate / static_cast<double>(seeds)); }

} // namespace

TEST_CASE("pct, pctcp and delay hit a bug of their depth at least as often as their bounds say") {
  constexpr std::uint64_t seeds = 3'000;
  for (int k : {2, 3}) {
    auto run = reversed_arrivals(k);
    auto profile = measure_profile(run);
    const auto depth = std::to_string(k);
    // Whoever acts: the test, the actors, and Troupe's own.
    const auto participants = 4.0 + 6 + k;
    auto pct = 1 / (participants * std::pow(static_cast<double>(profile->decisions), k - 1));
    auto pctcp = 1 / (participants * participants * std::pow(static_cast<double>(profile->events), k - 1));
    auto delay = 1.0 / k / std::pow(static_cast<double>(profile->decisions), k);
    CHECK(hit_rate("pct:depth=" + depth, run, seeds) >= pct - slack(pct, seeds));
    CHECK(hit_rate("pctcp:depth=" + depth, run, seeds) >= pctcp - slack(pctcp, seeds));
    CHECK(hit_rate("delay:delays=" + depth, run, seeds) >= delay - slack(delay, seeds));
  }
}

// The rates of a prototype on deliveries as single events, with noise to match.
TEST_CASE("pos, pct and pctcp reverse k arrivals at least as often as expected of them") {
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

TEST_CASE("strategies that know of priorities and races reverse arrivals more often than a random walk") {
  constexpr std::uint64_t seeds = 3'000;
  auto run = reversed_arrivals(3);
  auto walk = hit_rate("random", run, seeds);
  for (auto* spec : {"pct:depth=3", "pctcp:depth=3", "pos", "surw:places=1"}) {
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
