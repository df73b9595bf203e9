// What the simulator has to say about both variants: the planted bug is found, shrunk and replayed; the fix holds.
#include "examples/checkout/scenarios.hpp"
#include "sim/explore.hpp"
#include "sim/runner.hpp"
#include "sim/shrink.hpp"
#include "sim/strategies.hpp"
#include "sim/tape.hpp"
#include "sim/tape_strategy.hpp"
#include <algorithm>
#include <doctest/doctest.h>

using namespace troupe;

namespace {

struct program {
  explicit program(const std::string& name) {
    checkout::add_scenarios(scenarios);
    const auto* found = scenarios.find(name);
    REQUIRE(found);
    run = make_runner(found->body, found->options);
  }
  explore_result explore_with(const std::string& strategy_name, std::uint64_t seeds) const {
    return explore(run, make_strategies(strategy_name, run), {.seeds = seeds});
  }

  scenario_set scenarios;
  runner run;
};

} // namespace

TEST_CASE("the planted bug is found by random, shrinks to a dozen deliveries at most, and replays from its tape") {
  const program buggy{"checkout-buggy"};
  const auto found = buggy.explore_with("random", 2'000);
  REQUIRE(found.failing_seed);
  CHECK(found.failure.end == verdict::failed);
  CHECK(found.failure.message.find("oversold: the stock of 'book' is -1") != std::string::npos);

  simulation_options options;
  options.seed = *found.failing_seed;
  const auto failing = make_tape("checkout", "checkout-buggy", "random", options, found.failure);
  const auto shrunk = shrink(buggy.run, failing);
  REQUIRE(shrunk.reproduced);
  CHECK(shrunk.deviations_after <= 2);
  const auto deliveries = std::count_if(shrunk.run.trace.begin(), shrunk.run.trace.end(), [](const trace_entry& entry) {
    return entry.kind == event_kind::handle && !entry.internal;
  });
  CHECK(deliveries >= 4); // Both clients read the stock, both take the book.
  CHECK(deliveries <= 12);
  CHECK(shrunk.run.message == found.failure.message);

  tape_strategy order{shrunk.shortest.decisions};
  const auto replayed = buggy.run(*found.failing_seed, order, false);
  CHECK(replayed.trace_hash == shrunk.run.trace_hash);
  CHECK(replayed.message == found.failure.message);
  CHECK(order.followed_exactly());
}

TEST_CASE("the default order hides the planted bug") {
  CHECK(program{"checkout-buggy"}.explore_with("fifo", 1).failures == 0);
}

TEST_CASE("the fixed variant passes under thousands of seeds, and not all of them are the same") {
  const auto explored = program{"checkout-fixed"}.explore_with("random", 2'000);
  INFO(explored.failure.message);
  CHECK(explored.failures == 0);
  CHECK(explored.schedules == 2'000);
  CHECK(explored.distinct_traces >= 5);
}
