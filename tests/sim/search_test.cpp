// Exhaustive searches: they meet every outcome, and the optimal one meets each once.
#include "sim/explore.hpp"
#include "sim/simulator.hpp"
#include "sim/strategies.hpp"
#include "tests/sim/search_programs.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <set>

using namespace troupe;
using namespace troupe::testing;

namespace {

struct searched {
  explore_result result;
  std::uint64_t outcomes;
};
searched search(const body& program, const std::string& spec, order_model model = order_model::local,
                std::uint64_t limit = 100'000) {
  simulation_options options;
  options.model = model;
  auto run = make_runner(program, options);
  auto result = explore(run, make_strategies(spec, run, model), {.seeds = limit});
  CHECK_MESSAGE(result.failures == 0, result.failure.message);
  return {result, result.distinct_traces};
}

} // namespace

TEST_CASE("dpor runs one schedule for every outcome: the check numbers") {
  struct {
    const char* what;
    body program;
    std::uint64_t outcomes;
  } const rows[] = {
      {"fan-in: 6 senders, 1 receiver", fan_in(1, 6), 720},
      {"3 receivers, 2 messages each from different senders", fan_in(3, 2), 8},
      {"2 clients, 2 request/response pairs each, 1 server", requests(2, 2), 6},
      {"3 clients, 2 pairs each", requests(3, 2), 90},
      {"2 senders to A, B, A", a_b_a, 10},
  };
  for (auto& row : rows) {
    INFO(row.what);
    auto found = search(row.program, "dpor");
    CHECK(found.result.is_proven);
    CHECK(found.result.schedules == row.outcomes);
    CHECK(found.outcomes == row.outcomes);
    CHECK(found.result.covered == 1.0);
  }
}

TEST_CASE("dpor works in the atomic model, where sends are out at once") {
  auto found = search(a_b_a, "dpor", order_model::atomic);
  CHECK(found.result.is_proven);
  CHECK(found.result.schedules == 2);
  CHECK(found.outcomes == 2);
  CHECK(search(fan_in(1, 5), "dpor", order_model::atomic).result.schedules == 120);
  CHECK(search(requests(2, 2), "dpor", order_model::atomic).result.schedules == 6);
}

TEST_CASE("dfs meets the same outcomes in more schedules, and says what share it has covered") {
  for (auto model : {order_model::local, order_model::atomic}) {
    auto all = search(fan_in(1, 3), "dfs", model);
    auto one_each = search(fan_in(1, 3), "dpor", model);
    CHECK(all.result.is_proven);
    CHECK(all.result.schedules > one_each.result.schedules);
    CHECK(all.outcomes == one_each.outcomes);
  }
  double before = 0;
  for (std::uint64_t limit : {1, 10, 100, 1'000}) {
    auto part = search(fan_in(1, 5), "dfs", order_model::local, limit);
    CHECK_FALSE(part.result.is_proven);
    CHECK(*part.result.covered > before);
    CHECK(*part.result.covered < 1);
    before = *part.result.covered;
  }
}

TEST_CASE("dpor reorders steps of tasks that share memory if it is told to") {
  auto program = [](std::set<std::string>& seen) {
    return [&seen](simulator& sim) {
      auto log = std::make_shared<std::string>();
      for (char name : {'a', 'b', 'c'})
        sim.root().spawn([=] { *log += name; }).detach();
      sim.run_until_idle();
      seen.insert(*log);
    };
  };
  std::set<std::string> orders, one;
  search(program(one), "dpor");
  CHECK(one.size() == 1);
  auto all = search(program(orders), "dpor:memory=2");
  CHECK(all.result.is_proven);
  CHECK(orders.size() == 6);
}

TEST_CASE("a program that does not repeat itself is never proven") {
  for (auto* spec : {"dfs", "dpor"}) {
    // The first two runs agree, the others have one sender less or more.
    auto runs = std::make_shared<int>(0);
    simulation_options options;
    auto run = make_runner([runs](simulator& sim) { fan_in(1, ++*runs % 5 < 3 ? 3 : 2)(sim); }, options);
    CHECK_FALSE(explore(run, make_strategies(spec, run), {.seeds = 1'000}).is_proven);
  }
}
