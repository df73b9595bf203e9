// The small protocols: what their mistakes look like when they are found, and that the fixed ones are proven right.
#include "examples/protocols/protocols.hpp"
#include "sim/explore.hpp"
#include "sim/runner.hpp"
#include "sim/shrink.hpp"
#include "sim/strategies.hpp"
#include <doctest/doctest.h>

using namespace troupe;

namespace {

struct mistake {
  std::string protocol;
  verdict end;
  std::string message;    ///< Part of it.
  std::uint64_t outcomes; ///< Schedules that `dpor` needs to prove the fixed variant; 0: too many for a test.
};

const std::vector<mistake> mistakes = {
    {"bounded-async", verdict::failed, "has made 2 steps, its neighbour 1", 0},
    {"bounded-buffer", verdict::liveness, "all 4 items are consumed; ", 10'820},
    {"chang-roberts", verdict::failed, "there are two leaders, ", 13},
    {"coffee-machine", verdict::failed, "the grinder is switched on and its hopper is empty: its level is -5", 0},
    {"concurrent-dictionary", verdict::failed, "\"a\" was incremented 2 times and is 1", 10},
    {"dao", verdict::failed, "the bank has paid 20 for a deposit of 10", 2},
    {"lost-wakeup", verdict::liveness, "the sleeper goes on, since its condition holds", 5},
    {"sleeping-barber", verdict::liveness, "the barber shaves the customer who sits in the waiting room", 102},
    {"sliding-window", verdict::liveness, "is acknowledged", 18},
};

runner program(const std::string& name) {
  scenario_set scenarios;
  protocols::add_all(scenarios);
  const auto* found = scenarios.find(name);
  REQUIRE(found);
  return make_runner(found->body, found->options);
}

explore_result explored(const std::string& name, const std::string& strategy, std::uint64_t seeds) {
  const auto run = program(name);
  return explore(run, make_strategies(strategy, run), {.seeds = seeds});
}

} // namespace

TEST_CASE("each small protocol's mistake is found, says what is wrong, and is shrunk to a short run") {
  for (const auto& each : mistakes) {
    CAPTURE(each.protocol);
    const auto found = explored(each.protocol + "-buggy", "portfolio", 2'000);
    REQUIRE(found.failing_seed);
    CHECK(found.failure.end == each.end);
    CHECK(found.failure.message.find(each.message) != std::string::npos);

    tape recorded;
    recorded.options.seed = *found.failing_seed;
    recorded.options.model = found.failure.model;
    recorded.decisions = found.failure.decisions;
    const auto shrunk = shrink(program(each.protocol + "-buggy"), recorded);
    CHECK(shrunk.reproduced);
    CHECK(shrunk.run.deliveries <= 25);
  }
}

TEST_CASE("the default order of events shows none of these mistakes") {
  for (const auto& each : mistakes) {
    CAPTURE(each.protocol);
    CHECK(explored(each.protocol + "-buggy", "fifo", 1).failures == 0);
  }
}

TEST_CASE("the fixed variants are proven right") {
  for (const auto& each : mistakes) {
    if (each.outcomes == 0)
      continue;
    CAPTURE(each.protocol);
    const auto all = explored(each.protocol + "-fixed", "dpor", each.outcomes + 1);
    INFO(all.failure.message);
    CHECK(all.failures == 0);
    CHECK(all.is_proven);
    CHECK(all.schedules == each.outcomes);
  }
}
