// What every dispatcher promises of places and time: lanes, timers, and waiting for a latch.
#pragma once
#include "tests/contracts/contract_support.hpp"
#include <algorithm>
#include <deque>
#include <memory>
#include <set>
#include <vector>

namespace troupe::test {

TEST_CASE_TEMPLATE_DEFINE("a runnable knows where it is", Backend, contract_place) {
  Backend backend;
  auto& on = backend.get();
  const lane first = open(on, "first");
  const lane second = open(on, "second");
  const lane lanes[] = {background_lane, foreground_lane, first, second};
  CHECK(on.is_main_thread());
  for (const lane here : lanes)
    CHECK_FALSE(on.is_on(here));
  for (const lane here : lanes) {
    std::vector<lane> found;
    bool main_thread = false;
    latch done;
    job look{[&] {
      for (const lane each : lanes)
        if (on.is_on(each))
          found.push_back(each);
      main_thread = on.is_main_thread();
      done.release();
    }};
    REQUIRE_FALSE(on.dispatch(here, look, priority::normal));
    settle(on, done);
    CHECK(found == std::vector{here});
    CHECK((main_thread || here != foreground_lane));
    CHECK((!main_thread || here == foreground_lane || Backend::threads == 0));
  }
}

TEST_CASE_TEMPLATE_DEFINE("a closed lane runs what is queued and refuses the rest", Backend, contract_close_lane) {
  Backend backend;
  auto& on = backend.get();
  std::deque<job> jobs;
  countdown all{51};
  const lane where = open(on);
  for (int i = 0; i < 50; ++i)
    REQUIRE_FALSE(on.dispatch(where, jobs.emplace_back([&] { all.arrive(); }), priority::normal));
  on.close_lane(where);
  on.close_lane(where); // Harmless.
  job late;
  CHECK(is(on.dispatch(where, late, priority::normal), dispatch_errc::unknown_lane));
  CHECK(is(on.dispatch(lane{4711}, late, priority::normal), dispatch_errc::unknown_lane));
  const lane another = open(on);
  CHECK_FALSE(another == where);
  REQUIRE_FALSE(on.dispatch(another, jobs.emplace_back([&] { all.arrive(); }), priority::normal));
  settle(on, all.done);
  CHECK(late.runs() + late.drops() == 0);
}

TEST_CASE_TEMPLATE_DEFINE("a timer whose lane was closed drops its runnable", Backend, contract_timer_closed_lane) {
  Backend backend;
  auto& on = backend.get();
  for (auto wait = 3ms;; wait *= 10) {
    latch gone;
    job late{[&] { gone.release(); }, [&] { gone.release(); }};
    const lane where = open(on);
    const auto begun = on.now();
    REQUIRE(on.dispatch_after(wait, where, late, priority::normal));
    on.close_lane(where);
    const bool is_in_time = on.now() - begun < wait; // Else this thread was held up, and the timer may have fired.
    settle(on, gone);
    CHECK(late.runs() + late.drops() == 1);
    if (is_in_time) {
      CHECK(late.drops() == 1);
      break;
    }
  }
}

TEST_CASE_TEMPLATE_DEFINE("lanes can be opened and closed without end", Backend, contract_many_lanes) {
  Backend backend;
  auto& on = backend.get();
  std::set<std::uint32_t> numbers;
  for (int i = 0; i < 400; ++i) {
    latch done;
    job work{[&] { done.release(); }};
    const lane where = open(on);
    numbers.insert(where.number);
    REQUIRE_FALSE(on.dispatch(where, work, priority::normal));
    settle(on, done);
    on.close_lane(where);
  }
  CHECK(numbers.size() == 400);
}

TEST_CASE_TEMPLATE_DEFINE("a dispatcher counts its threads", Backend, contract_thread_count) {
  Backend backend;
  auto& on = backend.get();
  CHECK(on.thread_count() == Backend::threads);
  open(on);
  open(on);
  CHECK(on.thread_count() == Backend::threads + 2 * Backend::threads_per_lane);
}

TEST_CASE_TEMPLATE_DEFINE("timers fire in order and never early", Backend, contract_timers) {
  Backend backend;
  auto& on = backend.get();
  struct timed {
    platform::time_point due_min;
    platform::time_point due_max;
  };
  for (const lane where : {foreground_lane, open(on), background_lane}) {
    std::deque<job> jobs;
    std::vector<timed> timers;
    std::vector<std::size_t> order;
    std::atomic<int> early = 0;
    countdown all{6};
    for (const auto wait : {20ms, 5ms, 15ms, 0ms, 10ms, 5ms}) {
      const auto due = on.now() + wait;
      auto& work = jobs.emplace_back([&, due, where, number = timers.size()] {
        if (where != background_lane)
          order.push_back(number);
        early += on.now() < due;
        all.arrive();
      });
      REQUIRE(on.dispatch_after(wait, where, work, priority::normal));
      timers.push_back({due, on.now() + wait});
    }
    settle(on, all.done);
    CHECK(early == 0);
    // Where the calls took long, the order of two due times is anybody's guess.
    for (std::size_t i = 0; i < order.size(); ++i)
      for (std::size_t later = i + 1; later < order.size(); ++later)
        CHECK(timers[order[i]].due_min <= timers[order[later]].due_max);
  }
}

TEST_CASE_TEMPLATE_DEFINE("a cancelled timer hands its runnable back", Backend, contract_cancel) {
  Backend backend;
  auto& on = backend.get();
  for (const lane where : {background_lane, foreground_lane, open(on)}) {
    latch done;
    latch never;
    job work{[&] { done.release(); }};
    const auto timer = on.dispatch_after(1h, where, work, priority::normal);
    REQUIRE(timer);
    CHECK(on.cancel(timer));
    CHECK_FALSE(on.cancel(timer));
    // It is the caller's again, who may dispatch it anew.
    const auto second = on.dispatch_after(3ms, where, work, priority::normal);
    CHECK_FALSE(second == timer);
    CHECK_FALSE(on.cancel(timer));
    const bool taken_back = on.cancel(second); // False only if this took more than 3 ms.
    CHECK(is(on.block_until(never, on.now() + 6ms), dispatch_errc::timed_out));
    CHECK((taken_back ? work.runs() == 0 : work.runs() <= 1));
    if (taken_back)
      REQUIRE(on.dispatch_after(1ms, where, work, priority::normal));
    settle(on, done);
    CHECK(work.runs() == 1);
    CHECK(work.drops() == 0);
    CHECK_FALSE(on.cancel(second));
  }
  latch done;
  job work{[&] { done.release(); }};
  const auto timer = on.dispatch_after(0ns, foreground_lane, work, priority::normal);
  settle(on, done);
  CHECK_FALSE(on.cancel(timer));
  CHECK_FALSE(on.cancel({}));
  CHECK_FALSE(on.cancel({0xffff'ffff'ffff'ffff}));
}

TEST_CASE_TEMPLATE_DEFINE("timers that are taken back leave the others alone", Backend, contract_cancel_many) {
  Backend backend;
  auto& on = backend.get();
  std::deque<job> jobs;
  std::vector<platform::timer_id> timers;
  std::set<std::uint64_t> ids;
  countdown* all = nullptr;
  for (int i = 0; i < 300; ++i) {
    auto& work = jobs.emplace_back([&] { all->arrive(); });
    timers.push_back(
        on.dispatch_after(std::chrono::milliseconds{5 + i * 7 % 11}, foreground_lane, work, priority::normal));
    ids.insert(timers.back().value);
  }
  CHECK(ids.size() == 300);
  // None of them has run yet, on the main thread; but some may have been queued.
  std::vector<bool> cancelled;
  for (std::size_t i = 0; i < 300; ++i)
    cancelled.push_back(i % 3 != 0 && on.cancel(timers[i]));
  countdown rest{static_cast<int>(std::count(cancelled.begin(), cancelled.end(), false))};
  all = &rest;
  settle(on, rest.done);
  REQUIRE(on.stop(20s));
  for (std::size_t i = 0; i < 300; ++i)
    CHECK(jobs[i].runs() == (cancelled[i] ? 0 : 1));
}

TEST_CASE_TEMPLATE_DEFINE("a timer is either fired or taken back, whoever is faster", Backend, contract_cancel_race) {
  if constexpr (Backend::has_threads) {
    Backend backend;
    auto& on = backend.get();
    std::deque<job> jobs;
    std::vector<bool> cancelled;
    for (int i = 0; i < 3000; ++i) {
      const auto timer = on.dispatch_after(i % 50 * 1us, background_lane, jobs.emplace_back(), priority::normal);
      cancelled.push_back(on.cancel(timer));
    }
    REQUIRE(on.stop(20s));
    for (std::size_t i = 0; i < jobs.size(); ++i)
      REQUIRE(jobs[i].runs() + jobs[i].drops() + (cancelled[i] ? 1 : 0) == 1);
  }
}

TEST_CASE_TEMPLATE_DEFINE("a wait ends at its deadline, and the latch can be waited for again", Backend,
                          contract_timeout) {
  Backend backend;
  auto& on = backend.get();
  latch done;
  const auto deadline = on.now() + 5ms;
  CHECK(is(on.block_until(done, deadline), dispatch_errc::timed_out));
  CHECK(on.now() >= deadline);
  CHECK(is(on.block_until(done, on.now()), dispatch_errc::timed_out));
  CHECK(is(on.block_until(done, on.now() - 1s), dispatch_errc::timed_out));
  job work{[&] { done.release(); }};
  REQUIRE(on.dispatch_after(1ms, background_lane, work, priority::normal));
  settle(on, done);
  CHECK_FALSE(on.block_until(done, on.now() - 1s)); // Released wins over late.
  CHECK_FALSE(on.block_until(done, {}));
}

TEST_CASE_TEMPLATE_DEFINE("a latch may be destroyed as soon as the wait for it has ended", Backend, contract_latch) {
  Backend backend;
  auto& on = backend.get();
  for (int i = 0; i < 300; ++i) {
    auto done = std::make_unique<latch>();
    job work{[&] { done->release(); }};
    REQUIRE_FALSE(on.dispatch(i % 2 == 0 ? background_lane : foreground_lane, work, priority::normal));
    REQUIRE_FALSE(on.block_until(*done, {}));
    done.reset();
  }
}

TEST_CASE_TEMPLATE_DEFINE("a runnable may wait for others, in any lane", Backend, contract_nested) {
  Backend backend;
  auto& on = backend.get();
  const lane dedicated = open(on);
  for (const lane outer : {background_lane, foreground_lane, dedicated})
    for (const lane inner : {background_lane, foreground_lane, dedicated}) {
      if (outer == dedicated && inner == dedicated)
        continue; // Waits for ever where the lane has a thread of its own.
      latch done;
      latch inner_done;
      bool was_on = false;
      std::error_code error = make_error_code(dispatch_errc::stopped);
      job second{[&] {
        was_on = on.is_on(inner);
        inner_done.release();
      }};
      job first{[&] {
        CHECK_FALSE(on.dispatch(inner, second, priority::normal));
        error = on.block_until(inner_done, on.now() + 20s);
        done.release();
      }};
      REQUIRE_FALSE(on.dispatch(outer, first, priority::normal));
      settle(on, done);
      CHECK_FALSE(error);
      CHECK(was_on);
    }
}

TEST_CASE_TEMPLATE_DEFINE("waits nest on the main thread, and each ends at its own deadline", Backend,
                          contract_nested_timeout) {
  Backend backend;
  auto& on = backend.get();
  latch done;
  latch never;
  std::vector<int> order;
  job other{[&] { order.push_back(1); }};
  job third{[&] {
    order.push_back(2);
    CHECK(is(on.block_until(never, on.now() + 2ms), dispatch_errc::timed_out));
    order.push_back(3);
  }};
  job second{[&] {
    CHECK(is(on.block_until(never, on.now() + 10ms), dispatch_errc::timed_out));
    order.push_back(4);
    done.release();
  }};
  REQUIRE_FALSE(on.dispatch(foreground_lane, second, priority::normal));
  REQUIRE_FALSE(on.dispatch(foreground_lane, other, priority::normal));
  REQUIRE_FALSE(on.dispatch(foreground_lane, third, priority::normal));
  settle(on, done);
  CHECK(order == std::vector{1, 2, 3, 4});
}

} // namespace troupe::test
