// What every dispatcher promises of its end: what still runs, what is dropped, what is refused.
#pragma once
#include "tests/contracts/contract_support.hpp"
#include <deque>
#include <thread>

namespace troupe::test {

TEST_CASE_TEMPLATE_DEFINE("stop lets queued work end", Backend, contract_stop_runs) {
  Backend backend;
  auto& on = backend.get();
  std::deque<job> jobs;
  for (const lane where : {background_lane, foreground_lane, open(on)})
    for (int i = 0; i < 200; ++i)
      REQUIRE_FALSE(on.dispatch(where, jobs.emplace_back(), all_priorities[i % 4]));
  CHECK(on.stop(20s));
  for (auto& each : jobs)
    CHECK(each.runs() == 1);
}

TEST_CASE_TEMPLATE_DEFINE("work that runs during stop cannot dispatch any more", Backend, contract_stop_inside) {
  Backend backend;
  auto& on = backend.get();
  const lane lanes[] = {background_lane, foreground_lane, open(on)};
  job late;
  std::atomic<int> refused = 0;
  const auto try_all = [&] {
    for (const lane where : lanes)
      for (const auto urgency : all_priorities) {
        refused += is(on.dispatch(where, late, urgency), dispatch_errc::stopped);
        refused += !on.dispatch_after(0ns, where, late, urgency);
      }
  };
  // The foreground lane runs nothing before stop does, so the other two get on only then.
  latch stopping[2];
  std::deque<job> jobs;
  for (const lane where : lanes)
    REQUIRE_FALSE(on.dispatch(where, jobs.emplace_back([&, where] {
      if (where == foreground_lane) {
        stopping[0].release();
        stopping[1].release();
      } else if (on.block_until(stopping[where == background_lane], {})) {
        return;
      }
      try_all();
    }),
                              priority::normal));
  CHECK(on.stop(20s));
  CHECK(refused == 3 * 3 * 4 * 2);
  CHECK(late.runs() + late.drops() == 0);
}

TEST_CASE_TEMPLATE_DEFINE("stop drops waiting timers, on the main thread for the foreground lane", Backend,
                          contract_stop_timers) {
  Backend backend;
  auto& on = backend.get();
  std::deque<job> jobs;
  int on_main_thread = 0;
  for (const lane where : {background_lane, foreground_lane, open(on)})
    for (int i = 0; i < 10; ++i) {
      auto& work = jobs.emplace_back(std::function<void()>{},
                                     [&, where] { on_main_thread += where == foreground_lane && on.is_main_thread(); });
      REQUIRE(on.dispatch_after(1h, where, work, priority::normal));
    }
  const auto before = on.now();
  CHECK(on.stop(20s));
  CHECK(on.now() - before < 10s);
  CHECK(on_main_thread == 10);
  for (auto& each : jobs) {
    CHECK(each.runs() == 0);
    CHECK(each.drops() == 1);
  }
}

TEST_CASE_TEMPLATE_DEFINE("a stopped dispatcher refuses everything", Backend, contract_refuses) {
  Backend backend;
  auto& on = backend.get();
  const lane dedicated = open(on);
  job work;
  const auto timer = on.dispatch_after(1h, background_lane, work, priority::normal);
  REQUIRE(on.stop(20s));
  CHECK(on.stop(20s)); // Harmless.
  CHECK_FALSE(on.cancel(timer));
  CHECK(work.drops() == 1);
  job late;
  for (const lane where : {background_lane, foreground_lane, dedicated})
    for (const auto urgency : all_priorities) {
      CHECK(is(on.dispatch(where, late, urgency), dispatch_errc::stopped));
      CHECK_FALSE(on.dispatch_after(1ms, where, late, urgency));
    }
  std::error_code error;
  on.open_lane("late", error);
  CHECK(is(error, dispatch_errc::stopped));
  on.close_lane(dedicated);
  latch done;
  CHECK(is(on.block_until(done, {}), dispatch_errc::stopped));
  done.release();
  CHECK_FALSE(on.block_until(done, {}));
  CHECK(late.runs() + late.drops() == 0);
}

TEST_CASE_TEMPLATE_DEFINE("whatever was accepted is run or dropped before the dispatcher is gone", Backend,
                          contract_destructor) {
  for (const bool stopped : {false, true}) {
    std::deque<job> jobs;
    {
      Backend backend;
      auto& on = backend.get();
      for (const lane where : {background_lane, foreground_lane, open(on)})
        for (int i = 0; i < 300; ++i) {
          REQUIRE_FALSE(on.dispatch(where, jobs.emplace_back(), all_priorities[i % 4]));
          if (i % 10 == 0)
            REQUIRE(on.dispatch_after(i * 1us, where, jobs.emplace_back(), priority::normal));
        }
      if (stopped)
        on.stop(0s);
    }
    for (auto& each : jobs)
      CHECK(each.runs() + each.drops() == 1);
  }
}

TEST_CASE_TEMPLATE_DEFINE("a dispatcher waits for a timer that is being dropped", Backend, contract_stop_dropping) {
  bool is_dropped = false;
  for (auto wait = 1ms; !is_dropped; wait *= 10) {
    latch gone;
    std::atomic<bool> elsewhere = false;
    std::atomic<bool> may_end = false;
    std::atomic<bool> ended = false;
    const auto main_thread = std::this_thread::get_id();
    job late{[&] { gone.release(); },
             [&] {
               elsewhere = std::this_thread::get_id() != main_thread;
               gone.release();
               if (!elsewhere)
                 return;
               while (!may_end)
                 std::this_thread::sleep_for(100us);
               std::this_thread::sleep_for(5ms);
               ended = true;
             }};
    {
      Backend backend;
      auto& on = backend.get();
      const lane where = open(on);
      REQUIRE(on.dispatch_after(wait, where, late, priority::normal));
      on.close_lane(where);
      settle(on, gone);
      is_dropped = late.runs() == 0; // Else this thread was held up.
      CHECK(on.stop(elsewhere ? 5ms : 20s) == !elsewhere);
      may_end = true;
    }
    CHECK(ended == elsewhere);
  }
}

TEST_CASE_TEMPLATE_DEFINE("threads of others may wait, until stop at the latest", Backend, contract_foreign_wait) {
  if constexpr (Backend::has_threads) {
    Backend backend;
    auto& on = backend.get();
    latch first;
    latch never;
    latch third;
    std::error_code errors[3];
    std::thread waiter{[&] {
      errors[0] = on.block_until(first, {});
      errors[1] = on.block_until(never, on.now() + 2ms);
      third.release();
      errors[2] = on.block_until(never, {});
    }};
    job work{[&] { first.release(); }};
    REQUIRE_FALSE(on.dispatch(foreground_lane, work, priority::normal));
    settle(on, third);
    CHECK(on.stop(20s));
    waiter.join();
    CHECK_FALSE(errors[0]);
    CHECK(is(errors[1], dispatch_errc::timed_out));
    CHECK(is(errors[2], dispatch_errc::stopped));
  }
}

} // namespace troupe::test
