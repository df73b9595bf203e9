// Shrinking: fewer decisions off the default order, the same failure.
#include "sim/chart.hpp"
#include "sim/deviation_strategy.hpp"
#include "sim/random_strategy.hpp"
#include "sim/same_failure.hpp"
#include "sim/shrink.hpp"
#include "sim/specification.hpp"
#include "sim/tape_strategy.hpp"
#include "tests/sim/fake_program.hpp"
#include "tests/sim/programs/lost_update.hpp"
#include <doctest/doctest.h>

using namespace troupe;
using troupe::testing::fake_program;

namespace {

/// The tape of the first failing seed.
tape failing_tape(const fake_program& program) {
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    random_strategy order(seed);
    auto result = program(seed, order, false);
    if (!result.is_failure())
      continue;
    simulation_options options;
    options.seed = seed;
    return make_tape("fake", "shop", "random", options, result);
  }
  FAIL("no seed fails");
  return {};
}

} // namespace

TEST_CASE("the deviations of a run are all it takes to have it again") {
  const fake_program program;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    random_strategy order(seed);
    deviation_recorder recorder(order);
    const auto before = program(seed, recorder, false);
    CHECK(recorder.deviations().size() == deviations(before.decisions));
    deviation_strategy again(recorder.deviations());
    const auto after = program(seed, again, false);
    CHECK(after.trace_hash == before.trace_hash);
  }
}

TEST_CASE("no deviations are the default order") {
  const fake_program program;
  deviation_strategy order({});
  const auto result = program(0, order, false);
  CHECK_FALSE(result.is_failure());
  CHECK(deviations(result.decisions) == 0);
}

TEST_CASE("deviations on values go by the number of the decision") {
  troupe::testing::listed_candidates values({0, 1, 2, 3});
  const std::vector<decision> recorded{
      {decision_kind::delay, 0, 4, 0}, {decision_kind::delay, 3, 4, 3}, {decision_kind::random, 2, 4, 2}};
  tape_strategy replay(recorded);
  deviation_recorder recorder(replay);
  for (const auto& each : recorded)
    CHECK(recorder.pick(each.kind, values) == each.index);
  deviation_strategy again(recorder.deviations());
  for (const auto& each : recorded)
    CHECK(again.pick(each.kind, values) == each.index);
}

TEST_CASE("a failing schedule shrinks to few decisions and replays") {
  const fake_program program;
  const auto before = failing_tape(program);
  const auto shrunk = shrink(program, before);
  REQUIRE(shrunk.reproduced);
  CHECK(shrunk.deviations_before == deviations(before.decisions));
  CHECK(shrunk.deviations_after == deviations(shrunk.shortest.decisions));
  CHECK(shrunk.deviations_after < shrunk.deviations_before);
  CHECK(shrunk.run.end == verdict::failed);
  CHECK_FALSE(shrunk.run.trace.empty());
  CHECK(shrunk.runs <= shrink_options().max_runs + 2);

  tape_strategy replay(shrunk.shortest.decisions);
  const auto again = program(before.options.seed, replay, false);
  CHECK(again.trace_hash == shrunk.shortest.trace_hash);
  CHECK(replay.followed_exactly());
}

TEST_CASE("what shrinking leaves cannot be left out one by one") {
  const fake_program program;
  const auto shrunk = shrink(program, failing_tape(program));
  tape_strategy replay(shrunk.shortest.decisions);
  deviation_recorder recorder(replay);
  program(0, recorder, false);
  for (std::size_t i = 0; i < recorder.deviations().size(); ++i) {
    auto fewer = recorder.deviations();
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    deviation_strategy order(fewer);
    CHECK_FALSE(program(0, order, false).is_failure());
  }
}

TEST_CASE("noise does not survive shrinking") {
  // Without any bystander the shortest schedule has a certain size; with many of them it must not be much larger.
  fake_program quiet;
  quiet.bystanders = 0;
  fake_program noisy;
  noisy.bystanders = 6;
  noisy.noise = 10;
  const auto least = shrink(quiet, failing_tape(quiet)).deviations_after;
  const auto shrunk = shrink(noisy, failing_tape(noisy));
  INFO("least ", least, " before ", shrunk.deviations_before, " after ", shrunk.deviations_after, " runs ",
       shrunk.runs);
  CHECK(shrunk.deviations_before > 40);
  CHECK(shrunk.deviations_after <= 3 * least);
}

TEST_CASE("shrinking does the same every time") {
  const fake_program program;
  const auto before = failing_tape(program);
  const auto one = shrink(program, before);
  const auto two = shrink(program, before);
  CHECK(one.shortest.decisions == two.shortest.decisions);
  CHECK(one.runs == two.runs);
}

TEST_CASE("shrinking does not slip from one failure to another") {
  // With few deviations this program fails too, but not in the same way.
  const runner two_bugs = [program = fake_program()](std::uint64_t seed, strategy& order, bool trace) {
    auto result = program(seed, order, trace);
    if (deviations(result.decisions) < 5) {
      result.end = verdict::failed;
      result.message = "the other bug";
    }
    return result;
  };
  const auto shrunk = shrink(two_bugs, failing_tape({}));
  REQUIRE(shrunk.reproduced);
  CHECK(shrunk.run.message.find("oversold") == 0);
  CHECK(shrunk.deviations_after >= 5);
}

TEST_CASE("a failure of the default order shrinks to no deviation at all") {
  fake_program program;
  program.warm_up = 1; // both read at once
  program.bystanders = 2;
  const auto shrunk = shrink(program, failing_tape(program));
  CHECK(shrunk.reproduced);
  CHECK(shrunk.deviations_after == 0);
}

TEST_CASE("a tape that leads to no failure is not shrunk") {
  const fake_program program;
  auto passing = failing_tape(program);
  passing.decisions.clear();
  const auto shrunk = shrink(program, passing);
  CHECK_FALSE(shrunk.reproduced);
  CHECK(shrunk.run.end == verdict::ok);
}

TEST_CASE("shrinking keeps to its budget and still gives a failing tape") {
  const fake_program program;
  const auto shrunk = shrink(program, failing_tape(program), {.max_runs = 5, .max_steps = 1'000'000});
  CHECK(shrunk.runs <= 6);
  CHECK(shrunk.run.end == verdict::failed);
  CHECK(shrunk.deviations_after <= shrunk.deviations_before);
  const auto by_steps = shrink(program, failing_tape(program), {.max_runs = 1'000, .max_steps = 1});
  CHECK(by_steps.runs <= 2);
  CHECK(by_steps.run.end == verdict::failed);
}

TEST_CASE("failures are the same by verdict and by the first line of the message but for its numbers") {
  run_result a, b;
  a.end = b.end = verdict::failed;
  a.message = "oversold: -1 left\nmore 7";
  b.message = "oversold: -23 left\nother";
  CHECK(same_failure(a, b));
  b.message = "undersold: -1 left";
  CHECK_FALSE(same_failure(a, b));
  b = a;
  b.end = verdict::exception;
  CHECK_FALSE(same_failure(a, b));
}

TEST_CASE("what the failure does without does not happen in the shrunk run") {
  std::string cell;
  std::set<std::string> others;
  for (auto model : {order_model::local, order_model::atomic}) {
    const auto run =
        make_runner([&](simulator& sim) { testing::lose_an_update(sim, cell, others, 40); }, {.model = model});
    simulation_options options{.model = model};
    run_result failing;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      random_strategy order(seed);
      if (auto result = run(seed, order, false); result.is_failure() && result.deliveries > failing.deliveries) {
        failing = std::move(result);
        options.seed = seed;
      }
    }
    REQUIRE(failing.deliveries > 10);
    const auto shrunk = shrink(run, make_tape("test", "lost update", "random", options, failing));
    INFO(to_string(model), ", runs ", shrunk.runs);
    CHECK(shrunk.deliveries_before == failing.deliveries);
    CHECK(shrunk.deliveries_after == shrunk.run.deliveries);
    // Two reads, their answers, and two writes.
    CHECK(shrunk.deliveries_after == 6);
    CHECK(shrunk.run.message == failing.message);
    CHECK(shrunk.shortest.order.events.size() == shrunk.run.steps);
    tape_strategy replay(shrunk.shortest.decisions, model);
    CHECK(run(options.seed, replay, false).trace_hash == shrunk.shortest.trace_hash);
    CHECK(replay.followed_exactly());
  }
}

TEST_CASE("what an actor does again and again happens as seldom as the failure allows") {
  // It tosses a coin of eight sides until it has thrown the seventh and the eighth, other throws being nothing to it.
  const auto run = make_runner(
      [](simulator& sim) {
        sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
          self->send(self, 0);
          return {[self](int thrown) {
            const auto side = choose(8);
            if (side >= 6 && thrown == 1)
              fail("thrown twice");
            if (side < 7)
              self->send(self, side == 6 ? 1 : thrown);
          }};
        });
        sim.run_until_idle();
      },
      {});
  for (std::uint64_t seed = 0, found = 0; found < 5; ++seed) {
    REQUIRE(seed < 2'000);
    random_strategy order(seed);
    const auto failing = run(seed, order, false);
    if (!failing.is_failure() || failing.deliveries < 5)
      continue;
    ++found;
    const auto shrunk = shrink(run, make_tape("test", "coin", "random", {.seed = seed}, failing));
    CHECK(shrunk.deliveries_before == failing.deliveries);
    INFO(chart(shrunk.run));
    CHECK(shrunk.deliveries_after == 2);
  }
}

TEST_CASE("shrinking spends no more events than it may, but for the run that goes beyond") {
  std::string cell;
  std::set<std::string> others;
  const auto program = make_runner([&](simulator& sim) { testing::lose_an_update(sim, cell, others, 40); }, {});
  std::uint64_t seed = 0;
  run_result failing;
  for (; !failing.is_failure(); ++seed) {
    random_strategy order(seed);
    failing = program(seed, order, false);
  }
  const auto recorded = make_tape("test", "lost update", "random", {.seed = seed - 1}, failing);
  std::uint64_t steps = 0, longest = 0;
  const runner counted = [&](std::uint64_t of, strategy& order, bool trace) {
    auto result = program(of, order, trace);
    steps += result.steps;
    longest = std::max(longest, result.steps);
    return result;
  };
  const auto all = shrink(counted, recorded).shortest;
  const auto wanted = steps;
  for (const std::uint64_t most : {wanted / 4, wanted / 16}) {
    steps = 0;
    const auto shrunk = shrink(counted, recorded, {.max_steps = most});
    CHECK(steps <= most + 2 * longest); // The last one, and the one that is kept.
    CHECK(steps >= most / 4);
    CHECK(same_failure(shrunk.run, failing));
    CHECK(shrunk.deliveries_after <= shrunk.deliveries_before);
    CHECK(shrink(program, recorded, {.max_steps = most}).shortest.decisions == shrunk.shortest.decisions);
  }
}
