// Faults of tasks and their executors: what those who wait see of them.
#include "sim/random_strategy.hpp"
#include "sim/runner.hpp"
#include "sim/shrink.hpp"
#include "sim/simulator.hpp"
#include "sim/tape_strategy.hpp"
#include "tests/sim/all_schedules.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <vector>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

TEST_CASE("an executor refuses a task as one whose queue is full") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto first = sim.root().spawn([&] { seen += '1'; }), second = sim.root().spawn([&] { seen += '2'; });
    for (auto* each : {&first, &second})
      if (each->error() == errc::queue_full)
        seen += 'r';
    sim.run_until_idle();
    return seen;
  };
  CHECK(all_texts(program, {.faults = {.reject = 1}}) == joined({"12", "r2", "r1"}));
}

TEST_CASE("a task whose thread goes away is lost, before its code, in its middle or after it") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto s = sim.root().open_session({.on_failure = failure_policy::collect});
    auto work = s.spawn([&]() -> async<int> {
      seen += '1';
      co_await sleep_for(1s);
      seen += '2';
      co_return 7;
    });
    s.spawn([&seen, &work]() -> async<void> {
       auto end = co_await work.fallible();
       seen += end ? "ok" : end.error() == errc::task_lost ? "lost" : "?";
     }).detach();
    sim.run_for(1min);
    s.start_close();
    sim.run_for(1min);
    CHECK(s.state() == session_state::closed);
    return seen;
  };
  const auto seen = all_texts(program, {.fail_on_failed_session = false, .faults = {.lose = 1}});
  CHECK(seen == joined({"12ok", "1lost", "12"}));
}

namespace {

/// How a task has ended, in one letter.
char end_of(const task<void>& which) {
  return !which.error()                         ? 'k'
         : which.error() == errc::task_lost     ? 'l'
         : which.error() == errc::executor_down ? 'd'
                                                : '?';
}

/// Three tasks wait for their turn on one thread.
std::string three_in_a_row(simulator& sim) {
  std::string seen;
  auto& disk = sim.sys().make_dedicated("disk");
  auto s = sim.root().open_session({.on_failure = failure_policy::collect});
  std::vector<task<void>> tasks;
  for (char name : {'1', '2', '3'})
    tasks.push_back(s.spawn([&seen, name] { seen += name; }, {.on = &disk}));
  sim.run_until_idle();
  for (auto& each : tasks)
    seen += end_of(each);
  s.start_close();
  sim.run_for(1min);
  CHECK(s.state() == session_state::closed);
  return seen;
}

/// By both exhaustive searches, which have to agree.
std::string with_crashes(const std::function<std::string(simulator&)>& program, std::uint32_t crashes) {
  const simulation_options options{.fail_on_failed_session = false, .faults = {.executor_crash = crashes}};
  const auto every = joined(texts<dfs_search>(program, options));
  std::set<std::string> seen;
  dpor_search search;
  while (auto order = search.next()) {
    const auto run = run_scenario([&](simulator& sim) { seen.insert(program(sim)); }, options, *order);
    CHECK_MESSAGE(!run.is_failure(), run.message);
  }
  CHECK(joined(seen) == every);
  return every;
}

} // namespace

TEST_CASE("an executor that crashes loses what has begun on it, and what is queued runs after one crash") {
  CHECK(with_crashes(three_in_a_row, 0) == joined({"123kkk"}));
  // What is lost has run, or may have.
  CHECK(with_crashes(three_in_a_row, 1) == joined({"123kkk", "123lkk", "123klk", "123kkl"}));
  // In the second crash what is still queued is given up, and has not run.
  CHECK(with_crashes(three_in_a_row, 2) ==
        joined({"123kkk", "123lkk", "123klk", "123kkl", "12lld", "123lkl", "123kll"}));
}

TEST_CASE("an executor that crashes may do so before a task has begun there, or after that") {
  const auto program = [](simulator& sim) {
    auto s = sim.root().open_session({.on_failure = failure_policy::collect});
    auto sleeper = s.spawn([]() -> async<void> { co_await sleep_for(10s); });
    auto other = s.spawn([] {});
    sim.run_for(1min);
    std::string seen{end_of(sleeper), end_of(other)};
    s.start_close();
    sim.run_for(1min);
    return seen;
  };
  CHECK(with_crashes(program, 1) == joined({"kk", "kl", "lk", "ll"}));
}

TEST_CASE("an executor that crashes as time passes loses the tasks that sleep there, and no others") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto s = sim.root().open_session({.on_failure = failure_policy::collect});
    auto sleeper = s.spawn([&seen]() -> async<void> {
      seen += '1';
      co_await sleep_for(10s);
      seen += '2';
    });
    auto alarm = sim.sys().foreground().timer(1s);
    for (auto span : {500ms, 5'000ms}) {
      sim.run_for(span);
      seen += sleeper.is_ready() ? 'l' : '-';
    }
    sim.run_for(1min);
    seen += end_of(sleeper);
    s.start_close();
    sim.run_for(1min);
    return seen;
  };
  // At its first step, when the alarm goes off, or when it wakes up.
  CHECK(with_crashes(program, 1) == joined({"1--2k", "1lll", "1-ll", "1--l"}));
}

TEST_CASE("a crash of an executor is a decision of its own: it repeats, and nothing else is left of a shrunk run") {
  simulation_options options{.fail_on_failed_session = false, .faults = {.lose = 2, .executor_crash = 3}};
  const auto program = [](simulator& sim) {
    auto seen = three_in_a_row(sim);
    sim.check(seen.find('d') == seen.npos, "one has not run");
  };
  auto run = make_runner(program, options);
  std::uint64_t failures = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    random_strategy order(seed);
    auto first = run(seed, order, false);
    tape_strategy replay(first.decisions);
    REQUIRE(run(seed, replay, false).trace_hash == first.trace_hash);
    REQUIRE(replay.followed_exactly());
    CHECK(first.faults <= 5);
    if (!first.is_failure())
      continue;
    REQUIRE(first.message == "one has not run");
    options.seed = seed;
    auto shrunk = shrink(run, make_tape("p", "s", "random", options, first));
    REQUIRE(shrunk.reproduced);
    CHECK(shrunk.run.faults == 2);
    ++failures;
  }
  CHECK(failures > 5);
}
