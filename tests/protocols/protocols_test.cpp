// Each protocol's mistake is found, and nothing is found once it is mended.
#include "examples/protocols/protocols.hpp"
#include "sim/chart.hpp"
#include "sim/explanation.hpp"
#include "sim/explore.hpp"
#include "sim/runner.hpp"
#include "sim/same_failure.hpp"
#include "sim/shrink.hpp"
#include "sim/strategies.hpp"
#include "sim/tape_strategy.hpp"
#include <algorithm>
#include <doctest/doctest.h>
#include <vector>

using namespace troupe;

namespace {

explore_result explored(const std::string& name, const std::string& strategy, std::uint64_t seeds) {
  scenario_set scenarios;
  protocols::add_all(scenarios);
  const auto* found = scenarios.find(name);
  REQUIRE(found);
  const auto run = make_runner(found->body, found->options);
  return explore(run, make_strategies(strategy, run, found->options.model), {.seeds = seeds});
}

} // namespace

TEST_CASE("no schedule of a fixed protocol fails") {
  scenario_set scenarios;
  protocols::add_all(scenarios);
  for (const auto& each : scenarios.all()) {
    if (each.name.ends_with("-buggy"))
      continue;
    CAPTURE(each.name);
    const auto result = explored(each.name, "portfolio", 320);
    INFO(result.failure.message);
    CHECK(result.failures == 0);
    CHECK(result.schedules == 320);
    CHECK(result.distinct_traces > 1);
  }
}

TEST_CASE("each protocol has a buggy and a fixed variant") {
  scenario_set scenarios;
  protocols::add_all(scenarios);
  for (const auto& each : scenarios.all()) {
    if (!each.name.ends_with("-buggy"))
      continue;
    CAPTURE(each.name);
    CHECK(scenarios.find(each.name.substr(0, each.name.size() - 5) + "fixed"));
  }
}

TEST_CASE("each mistake is found") {
  struct mistake {
    const char* scenario;
    const char* strategy; ///< One that finds it soon.
    const char* message;
  };
  const std::vector<mistake> mistakes = {
      {"failure-detector-buggy", "pos", "has been sent a ping while it has 3 to answer"},
      {"multi-paxos-buggy", "portfolio", " has two values: "},
      {"raft-v1-buggy", "ql", "are both leaders in term"},
      {"replicating-storage-buggy", "portfolio", "three living nodes hold the value 7, not just 2"},
      {"two-phase-commit-buggy", "portfolio", "is committed, but participant"},
      {"two-phase-commit-client-buggy", "portfolio", "where it has written"},
  };
  for (const auto& each : mistakes) {
    CAPTURE(each.scenario);
    const auto result = explored(each.scenario, each.strategy, 10'000);
    REQUIRE(result.failing_seed);
    CHECK(result.failure.message.find(each.message) != std::string::npos);

    // It repeats from its decisions alone.
    scenario_set scenarios;
    protocols::add_all(scenarios);
    const auto* program = scenarios.find(each.scenario);
    auto options = program->options;
    options.model = result.failure.model;
    tape_strategy order{result.failure.decisions};
    const auto replayed = make_runner(program->body, options)(*result.failing_seed, order, false);
    CHECK(replayed.trace_hash == result.failure.trace_hash);
    CHECK(replayed.message == result.failure.message);
  }
}

TEST_CASE("a transaction among three participants, with a timeout, is proven right") {
  CHECK(explored("two-phase-commit-small-fixed", "dpor", 100'000).is_proven);
}

TEST_CASE("lost wakeups are called that, and nothing else is") {
  const std::vector<std::pair<const char*, const char*>> wakeups = {
      {"lost-wakeup-buggy", " waits for wake; wakeup came to rendezvous#"},
      {"sleeping-barber-buggy", " waits for wake; enter("},
      {"bounded-buffer-buggy", ""},
      {"sliding-window-buggy", ""},
      {"replicating-storage-buggy", ""},
  };
  for (const auto& each : wakeups) {
    const auto* name = each.first;
    CAPTURE(name);
    scenario_set scenarios;
    protocols::add_all(scenarios);
    const auto* program = scenarios.find(name);
    for (std::uint64_t first = 0; first < 5; ++first) {
      const auto run = make_runner(program->body, program->options);
      const auto found = explore(run, make_strategies("portfolio", run, program->options.model),
                                 {.first_seed = first * 1'000, .seeds = 1'000});
      REQUIRE(found.failing_seed);
      auto options = program->options;
      options.seed = *found.failing_seed;
      const auto failing = make_tape("protocols", name, "portfolio", options, found.failure);
      const auto told = explain(make_runner(program->body, failing.options), shrink(run, failing).shortest);
      INFO(chart(told));
      if (*each.second)
        CHECK(told.wakeup.find(each.second) != std::string::npos);
      else
        CHECK(told.wakeup.empty());
    }
  }
}

TEST_CASE("shrunk failures have 15 deliveries or fewer in most programs" * doctest::test_suite("slow")) {
  scenario_set scenarios;
  protocols::add_all(scenarios);
  std::vector<std::uint64_t> medians;
  for (const auto& program : scenarios.all()) {
    if (!program.name.ends_with("-buggy"))
      continue;
    CAPTURE(program.name);
    const auto run = make_runner(program.body, program.options);
    std::vector<std::uint64_t> deliveries;
    for (std::uint64_t first : {0, 20'000, 40'000}) {
      const auto found = explore(run, make_strategies("portfolio", run, program.options.model),
                                 {.first_seed = first, .seeds = 20'000});
      REQUIRE(found.failing_seed);
      auto options = program.options;
      options.seed = *found.failing_seed;
      const auto shrunk = shrink(run, make_tape("protocols", program.name, "portfolio", options, found.failure));
      CHECK(same_failure(shrunk.run, found.failure));
      CHECK(shrunk.deliveries_after <= found.failure.deliveries);
      deliveries.push_back(shrunk.deliveries_after);
    }
    std::sort(deliveries.begin(), deliveries.end());
    medians.push_back(deliveries[1]);
  }
  std::sort(medians.begin(), medians.end());
  const auto upper = medians[medians.size() / 2];
  MESSAGE("median of the programs' medians: ", medians[(medians.size() - 1) / 2], " to ", upper);
  CHECK(upper <= 15);
}
