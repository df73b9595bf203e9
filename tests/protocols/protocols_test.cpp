// Each protocol's mistake is found, and nothing is found once it is mended.
#include "examples/protocols/protocols.hpp"
#include "sim/explore.hpp"
#include "sim/runner.hpp"
#include "sim/strategies.hpp"
#include <doctest/doctest.h>

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

TEST_CASE("the mistake of the failure detector is found") {
  const auto result = explored("failure-detector-buggy", "pos", 4'000);
  REQUIRE(result.failing_seed);
  CHECK(result.failure.message.find("while it has 3 to answer") != std::string::npos);
}
