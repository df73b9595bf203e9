// Hosts that stop their loop early, never run the main queue, or go on after the end: told, and nothing is lost.
#include "sessions/system.hpp"
#include "tests/contracts/asio_backend.hpp"
#include "tests/gcd/gcd_backend.hpp"
#include "tests/gcd/host_loop.hpp"
#include <deque>
#include <thread>

namespace troupe::test {

TEST_CASE("a dispatcher that is made off the main queue is refused with the reason") {
  std::error_code error;
  std::thread{[&] {
    try {
      (void)platform::make_gcd_dispatcher();
    } catch (const std::system_error& refused) {
      error = refused.code();
    }
  }}.join();
  CHECK(error == dispatch_errc::wrong_thread);
  CHECK_THROWS_AS((void)platform::make_gcd_dispatcher({.width = 65}), std::invalid_argument);
}

TEST_CASE("a host that stops its loop early: what is left of the foreground lane ends in the shutdown") {
  troupe::system sys{platform::make_gcd_dispatcher()};
  auto s = sys.open_session();
  int ran = 0;
  constexpr int count = 500;
  for (int i = 0; i < count; ++i)
    s.spawn([&] { ++ran; }, {.on = &sys.foreground()}).detach();
  auto waits = s.wait_until(
      [&]() -> async<void> {
        co_await sleep_for(5ms);
        ran += sys.dispatcher().is_main_thread();
      },
      {.on = &sys.foreground()});
  platform::drain_main_queue(); // One turn, and no more.
  CHECK(ran < count);
  const auto report = sys.shutdown();
  CHECK(report.is_clean());
  CHECK(ran == count + 1);
  CHECK(waits.state() == task_state::done_ok);
}

TEST_CASE(
    "a host that stops its loop early: a stop from elsewhere gives up in time, and the main thread drops the rest") {
  std::deque<job> jobs;
  int off_main = 0;
  {
    gcd_backend<2> backend;
    auto& on = backend.get();
    const auto note = [&] { off_main += !on.is_main_thread(); };
    for (int i = 0; i < 200; ++i)
      REQUIRE_FALSE(on.dispatch(foreground_lane, jobs.emplace_back(note, note), priority::normal));
    REQUIRE(on.dispatch_after(1h, foreground_lane, jobs.emplace_back(note, note), priority::normal));
    platform::drain_main_queue();
    std::thread{[&] {
      const auto before = on.now();
      CHECK_FALSE(on.stop(10ms));
      CHECK(on.now() - before >= 10ms);
    }}.join();
  }
  CHECK(off_main == 0);
  int dropped = 0;
  for (auto& each : jobs) {
    CHECK(each.runs() + each.drops() == 1);
    dropped += each.drops();
  }
  CHECK(dropped > 0);
  CHECK(dropped < 201);
  platform::drain_main_queue(); // What GCD still holds of it finds nothing to do.
}

TEST_CASE("a main queue that is never run: the session's report names what waits for it") {
  troupe::system sys{platform::make_gcd_dispatcher()};
  cleanup_report report;
  task<void> never;
  std::thread{[&] { // The main thread does nothing but wait for this one.
    auto s = sys.open_session({.name = "request"});
    never = s.spawn([] {}, {.on = &sys.foreground(), .name = "draw"});
    auto here = s.spawn([] {});
    auto closed = sys.block_on(s.close(100ms));
    REQUIRE(closed.has_value());
    report = *closed;
    CHECK(here.state() == task_state::done_ok);
  }}
      .join();
  INFO(report.to_text());
  CHECK(never.state() == task_state::done_cancelled);
  CHECK(report.counters.cancelled == 1);
  CHECK(report.counters.ok == 1);
}

TEST_CASE("a main queue that is never run: foreground work that has begun is named as a survivor") {
  troupe::system sys{platform::make_gcd_dispatcher()};
  cleanup_report report;
  auto s = sys.open_session({.name = "request"});
  latch begun;
  auto stuck = s.spawn(
      [&]() -> async<void> {
        begun.release();
        try {
          co_await sleep_for(1h);
        } catch (const task_cancelled&) {
        }
      },
      {.on = &sys.foreground(), .name = "draw"});
  settle(sys.dispatcher(), begun);
  std::thread{[&] {
    auto closed = sys.block_on(s.close(100ms));
    REQUIRE(closed.has_value());
    report = *closed;
  }}.join();
  INFO(report.to_text());
  CHECK(report.outcome == close_outcome::dirty);
  REQUIRE(report.survivors.size() == 1);
  CHECK(report.survivors[0].name == "draw");
  CHECK(report.survivors[0].executor == "foreground");
  CHECK(stuck.state() == task_state::abandoned);
}

TEST_CASE("a system that is used after its shutdown refuses everything, and says so") {
  troupe::system sys{platform::make_gcd_dispatcher()};
  auto s = sys.open_session();
  CHECK(sys.shutdown().is_clean());
  auto late = s.spawn([] {});
  CHECK(late.state() == task_state::rejected);
  CHECK(late.error() == errc::session_closed);
  std::error_code error;
  try {
    sys.make_dedicated("late");
  } catch (const std::system_error& refused) {
    error = refused.code();
  }
  CHECK(error == dispatch_errc::stopped);
  platform::drain_main_queue();
}

TEST_CASE("a stop from another thread ends in time while the host's loop goes on") {
  std::deque<job> jobs;
  gcd_backend<2> backend;
  auto& on = backend.get();
  for (int i = 0; i < 1000; ++i)
    for (const lane where : {background_lane, foreground_lane})
      REQUIRE_FALSE(on.dispatch(where, jobs.emplace_back(), all_priorities[i % 4]));
  std::atomic<bool> ended = false;
  bool in_time = false;
  std::thread stopper{[&] {
    in_time = on.stop(20s);
    ended = true;
  }};
  CHECK(run_host_loop([&] { return ended.load(); }));
  stopper.join();
  CHECK(in_time);
  for (auto& each : jobs)
    CHECK(each.runs() == 1);
}

TEST_CASE("a stop gives up at its deadline, and drops what a stuck runnable keeps from running") {
  gate held; // Outlives the dispatcher, as what stuck runnables use must.
  job stuck_in_pool{[&] { held.pass(); }};
  job stuck_in_lane{[&] { held.pass(); }};
  std::deque<job> queued;
  {
    gcd_backend<1> backend;
    auto& on = backend.get();
    const lane dedicated = open(on);
    REQUIRE_FALSE(on.dispatch(background_lane, stuck_in_pool, priority::normal));
    REQUIRE_FALSE(on.dispatch(dedicated, stuck_in_lane, priority::normal));
    while (stuck_in_pool.runs() + stuck_in_lane.runs() < 2)
      std::this_thread::sleep_for(100us);
    for (const lane where : {background_lane, dedicated})
      for (int i = 0; i < 20; ++i)
        REQUIRE_FALSE(on.dispatch(where, queued.emplace_back(), all_priorities[i % 4]));
    const auto before = on.now();
    CHECK_FALSE(on.stop(5ms));
    CHECK(on.now() - before >= 5ms);
    CHECK(on.now() - before < 10s);
    CHECK_FALSE(on.stop(0s)); // Harmless.
    for (auto& each : queued) {
      CHECK(each.runs() == 0);
      CHECK(each.drops() == 1);
    }
    held.open();
  }
  CHECK(stuck_in_pool.drops() + stuck_in_lane.drops() == 0);
}

} // namespace troupe::test
