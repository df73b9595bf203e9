// Exploration: which failure is reported, what is counted, and that neither depends on the number of processes.
#include "sim/determinism.hpp"
#include "sim/explore.hpp"
#include "sim/fifo_strategy.hpp"
#include "sim/random_strategy.hpp"
#include "tests/sim/fake_program.hpp"
#include "tests/support/threads.hpp"
#include <csignal>
#include <cstdio>
#include <doctest/doctest.h>
#include <set>
#include <unistd.h>

using namespace troupe;
using troupe::testing::fake_program;

namespace {

const strategy_factory random_order{[](std::uint64_t seed) { return std::make_unique<random_strategy>(seed); }};

/// Never fails: the second client warms up longer than anything else takes.
fake_program correct_program() {
  fake_program program;
  program.warm_up = 1;
  program.bystanders = 2;
  program.noise = 3;
  return program;
}

/// Passes under all seeds but one.
runner failing_at(std::uint64_t failing, fake_program program = correct_program()) {
  return [=](std::uint64_t seed, strategy& order, bool trace) {
    auto result = program(seed, order, trace);
    result.end = seed == failing ? verdict::failed : verdict::ok;
    result.message = seed == failing ? "planted" : "";
    return result;
  };
}

} // namespace

TEST_CASE("exploration stops at the first failing seed, whatever the number of processes") {
  const fake_program program;
  const auto alone = explore(program, random_order, {.first_seed = 3, .seeds = 2'000, .jobs = 0});
  REQUIRE(alone.failing_seed.has_value());
  CHECK(alone.failures == 1);
  CHECK(alone.schedules == *alone.failing_seed - 3 + 1);
  CHECK(alone.failure.end == verdict::failed);
  CHECK_FALSE(alone.failure.trace.empty());
  CHECK_FALSE(alone.failure.decisions.empty());
  CHECK(alone.schedules_per_second > 0);
  for (unsigned jobs : {1u, 2u, 3u, 7u}) {
    const auto spread = explore(program, random_order, {.first_seed = 3, .seeds = 2'000, .jobs = jobs});
    INFO("jobs ", jobs);
    CHECK(spread.failing_seed == alone.failing_seed);
    CHECK(spread.schedules == alone.schedules);
    CHECK(spread.steps == alone.steps);
    CHECK(spread.distinct_traces == alone.distinct_traces);
    CHECK(spread.failure.trace_hash == alone.failure.trace_hash);
  }
}

TEST_CASE("exploration without a failure runs every seed once and counts different outcomes") {
  std::multiset<std::uint64_t> seeds;
  auto program = correct_program();
  program.on_run = [&seeds](std::uint64_t seed) { seeds.insert(seed); };
  const auto found = explore(failing_at(~0ull, program), random_order, {.first_seed = 10, .seeds = 100, .jobs = 0});
  CHECK_FALSE(found.failing_seed.has_value());
  CHECK(found.failures == 0);
  CHECK(found.schedules == 100);
  CHECK(found.distinct_traces > 10);
  CHECK(found.distinct_traces < 100);
  for (std::uint64_t seed = 11; seed < 110; ++seed)
    CHECK(seeds.count(seed) == 1);
  CHECK(seeds.count(10) == 3); // twice more for the check of determinism
  CHECK(seeds.count(110) == 0);

  const auto spread = explore(failing_at(~0ull), random_order, {.first_seed = 10, .seeds = 100, .jobs = 3});
  CHECK(spread.schedules == 100);
  CHECK(spread.steps == found.steps);
  CHECK(spread.distinct_traces == found.distinct_traces);
}

TEST_CASE("the default order has one outcome") {
  const auto found =
      explore(failing_at(~0ull), strategy_factory{[](std::uint64_t) { return std::make_unique<fifo_strategy>(); }},
              {.first_seed = 0, .seeds = 20, .jobs = 2});
  CHECK(found.distinct_traces == 1);
}

TEST_CASE("exploration reaches the last seed there is") {
  const auto last = ~0ull;
  for (unsigned jobs : {0u, 1u, 4u}) {
    const auto found = explore(failing_at(last), random_order, {.first_seed = last - 2, .seeds = 3, .jobs = jobs});
    CHECK(found.failing_seed == last);
    CHECK(found.schedules == 3);
  }
}

TEST_CASE("more processes than seeds do no harm") {
  const auto found = explore(failing_at(1), random_order, {.first_seed = 0, .seeds = 2, .jobs = 9});
  CHECK(found.failing_seed == 1);
}

TEST_CASE("a program that crashes is a failure with its seed" * doctest::skip(!troupe::testing::has_threads)) {
#ifdef _WIN32
  std::puts("SKIPPED: there are no worker processes on Windows");
#else
  auto program = correct_program();
  program.on_run = [](std::uint64_t seed) {
    if (seed == 17)
      ::raise(SIGKILL);
    if (seed == 23)
      ::_exit(0);
    if (seed == 29)
      ::_exit(3);
  };
  const auto killed = explore(failing_at(40, program), random_order, {.first_seed = 0, .seeds = 100, .jobs = 2});
  CHECK(killed.failing_seed == 17);
  CHECK(killed.is_lost);
  CHECK(killed.failure.end == verdict::crashed);
  CHECK(killed.failure.message.find("signal 9") != std::string::npos);
  CHECK(killed.schedules == 18);

  program.on_run = [](std::uint64_t seed) {
    if (seed == 17 || seed == 18)
      ::raise(SIGKILL);
    if (seed == 23)
      ::_exit(0);
    if (seed == 29)
      ::_exit(3);
  };
  CHECK(explore(failing_at(40, program), random_order, {.first_seed = 1, .seeds = 100, .jobs = 2}).failing_seed == 17);

  const auto quit = explore(failing_at(40, program), random_order, {.first_seed = 19, .seeds = 100, .jobs = 2});
  CHECK(quit.failing_seed == 23);
  CHECK(quit.failure.message.find("exit status 0") != std::string::npos);
  const auto exited = explore(failing_at(40, program), random_order, {.first_seed = 24, .seeds = 100, .jobs = 2});
  CHECK(exited.failing_seed == 29);
  CHECK(exited.failure.message.find("exit status 3") != std::string::npos);

  const auto earlier = explore(failing_at(11, program), random_order, {.first_seed = 0, .seeds = 100, .jobs = 3});
  CHECK(earlier.failing_seed == 11);
  CHECK_FALSE(earlier.is_lost);
#endif
}

TEST_CASE("a program that does not repeat itself is found out, and the first event that differs is named") {
  auto program = correct_program();
  int runs = 0;
  program.on_run = [&runs](std::uint64_t) { ++runs; };
  int event = 0;
  program.addition = [&] { return runs == 3 && ++event == 9 ? std::string("!") : std::string(); };
  const auto found = explore(failing_at(~0ull, program), random_order, {.first_seed = 0, .seeds = 1, .jobs = 0});
  CHECK(found.failing_seed == 0);
  CHECK(found.failure.end == verdict::nondeterminism);
  CHECK(found.failures == 1);
  INFO(found.failure.message);
  CHECK(found.failure.message.find("first difference at event ") != std::string::npos);
}

TEST_CASE("a failure that does not fail again is nondeterminism") {
  int runs = 0;
  const runner run = [&runs](std::uint64_t, strategy&, bool) {
    run_result result;
    result.trace_hash = static_cast<std::uint64_t>(runs);
    result.end = runs++ == 4 ? verdict::failed : verdict::ok;
    return result;
  };
  const auto found = explore(run, random_order, {.first_seed = 0, .seeds = 10, .jobs = 0});
  CHECK(found.failing_seed == 4);
  CHECK(found.failure.end == verdict::nondeterminism);
}

TEST_CASE("the same decisions with another trace are nondeterminism, whatever the verdict") {
  std::uint64_t runs = 0;
  const runner run = [&runs](std::uint64_t, strategy&, bool) {
    run_result result;
    result.trace_hash = ++runs;
    return result;
  };
  fifo_strategy order;
  CHECK(run_twice(run, 0, order).end == verdict::nondeterminism);
}

TEST_CASE("running twice gives the first run if both are the same") {
  const fake_program program;
  random_strategy order(1), again(1);
  const auto twice = run_twice(program, 1, order);
  const auto once = program(1, again, false);
  CHECK(twice.trace_hash == once.trace_hash);
  CHECK(twice.end == once.end);
}

TEST_CASE("traces of different length differ where the shorter one ends") {
  const std::vector<trace_entry> one{{1, 0, event_kind::step, "a", "b", "x", false, {}}};
  auto two = one;
  two.push_back({2, 1, event_kind::step, "b", "c", "y", false, {}});
  CHECK(first_difference(one, one).empty());
  const auto text = first_difference(one, two);
  CHECK(text.find("event 2") != text.npos);
  CHECK(text.find("the run ended") != text.npos);
  CHECK(text.find("b -> c  y") != text.npos);
}
