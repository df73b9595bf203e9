// Faults of tasks and their executors: what those who wait see of them.
#include "sim/simulator.hpp"
#include "tests/sim/all_schedules.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>

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
