// The Asio dispatcher keeps the contract, and what it promises beyond that.
#include "platform/asio_context.hpp"
#include "platform/asio_dispatcher.hpp"
#include "tests/contracts/asio_backend.hpp"
#include "tests/contracts/dispatcher_contract.hpp"
#include "tests/support/this_process.hpp"
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>

namespace troupe::test {

using asio_pool_of_two = asio_backend<2>;
using asio_pool_of_four = asio_backend<4>;
} // namespace troupe::test

TYPE_TO_STRING(troupe::test::asio_pool_of_two);
TYPE_TO_STRING(troupe::test::asio_pool_of_four);

namespace troupe::test {

TROUPE_DISPATCHER_CONTRACT(asio_pool_of_two);
TROUPE_DISPATCHER_CONTRACT(asio_pool_of_four);

TEST_CASE("an Asio dispatcher has the threads that it says, and at least two unless told otherwise") {
  CHECK(platform::make_asio_dispatcher()->thread_count() >= 2);
  const auto before = testing::thread_count();
  {
    const auto on = platform::make_asio_dispatcher({.thread_count = 3});
    CHECK(testing::thread_count_becomes(before + 3 + testing::asio_timer_threads));
    open(*on);
    CHECK(testing::thread_count_becomes(before + 4 + testing::asio_timer_threads));
    CHECK(on->thread_count() == 4);
    latch done;
    job work{[&] { done.release(); }};
    REQUIRE(on->dispatch_after(1ms, background_lane, work, priority::normal));
    settle(*on, done);
    CHECK(testing::thread_count_becomes(before + 4 + testing::asio_timer_threads));
  }
  CHECK(testing::thread_count_becomes(before));
}

TEST_CASE("stop gives up at its deadline, and drops what a stuck runnable keeps from running") {
  // Outlives the dispatcher, as what stuck runnables use must.
  gate held;
  job stuck_in_pool{[&] { held.pass(); }};
  job stuck_in_lane{[&] { held.pass(); }};
  std::deque<job> queued;
  {
    asio_backend<1> backend;
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

TEST_CASE("stop waits for what runs, on the main thread and on others") {
  for (const bool on_main_thread : {true, false}) {
    asio_backend<2> backend;
    auto& on = backend.get();
    std::atomic<bool> ended = false;
    latch started;
    job slow{[&] {
      started.release();
      std::this_thread::sleep_for(5ms);
      ended = true;
    }};
    REQUIRE_FALSE(on.dispatch(background_lane, slow, priority::normal));
    settle(on, started);
    bool in_time = false;
    if (on_main_thread)
      in_time = on.stop(20s);
    else
      std::thread{[&] { in_time = on.stop(20s); }}.join();
    CHECK(in_time);
    CHECK(ended);
  }
}

TEST_CASE("a stop from another thread leaves the foreground lane to the main thread") {
  for (int round = 0; round < 50; ++round) {
    std::deque<job> jobs;
    std::atomic<int> elsewhere = 0;
    {
      asio_backend<2> backend;
      auto& on = backend.get();
      const auto note = [&] { elsewhere += !on.is_main_thread(); };
      for (int i = 0; i < 20; ++i) {
        REQUIRE_FALSE(on.dispatch(foreground_lane, jobs.emplace_back(note, note), priority::normal));
        REQUIRE(on.dispatch_after(1h, foreground_lane, jobs.emplace_back(note, note), priority::normal));
      }
      std::thread stopper{[&] { CHECK(on.stop(20s)); }};
      latch never;
      CHECK(is(on.block_until(never, {}), dispatch_errc::stopped));
      stopper.join();
    }
    CHECK(elsewhere == 0);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      CHECK(jobs[i].runs() == (i % 2 == 0 ? 1 : 0));
      CHECK(jobs[i].runs() + jobs[i].drops() == 1);
    }
  }
}

TEST_CASE("a stop is in time also while handlers of the host's keep the threads turning") {
  for (int round = 0; round < 100; ++round) {
    std::function<void()> turn; // Outlives the handlers that are pending when the io_context goes.
    asio_backend<2> backend;
    auto& on = backend.get();
    auto& context = platform::background_context(on);
    turn = [&] { boost::asio::post(context, [&] { turn(); }); };
    for (int i = 0; i < 4; ++i)
      turn();
    bool in_time = false;
    if (round % 2 == 0)
      in_time = on.stop(20s);
    else
      std::thread{[&] { in_time = on.stop(20s); }}.join();
    CHECK(in_time);
  }
}

TEST_CASE("other Asio code shares the background threads") {
  asio_backend<2> backend;
  auto& on = backend.get();
  auto& context = platform::background_context(on);
  latch done;
  std::atomic<int> off_lane = 0;
  job work{[&] { done.release(); }};
  boost::asio::steady_timer timer{context, 2ms};
  timer.async_wait([&](const boost::system::error_code& error) {
    off_lane += error || !on.is_on(background_lane);
    boost::asio::post(context, [&] {
      off_lane += !on.is_on(background_lane);
      CHECK_FALSE(on.dispatch(background_lane, work, priority::normal));
    });
  });
  settle(on, done);
  CHECK(off_lane == 0);
}

TEST_CASE("a foreground lane that is never empty leaves room for other handlers, and the host may run it") {
  asio_backend<2> backend;
  auto& on = backend.get();
  auto& context = platform::foreground_context(on);
  bool enough = false;
  latch ended;
  job* self = nullptr;
  job busy{[&] {
    if (enough)
      ended.release();
    else
      CHECK_FALSE(on.dispatch(foreground_lane, *self, priority::critical));
  }};
  self = &busy;
  REQUIRE_FALSE(on.dispatch(foreground_lane, busy, priority::critical));
  latch handled;
  boost::asio::post(context, [&] { handled.release(); });
  settle(on, handled);
  boost::asio::post(context, [&] { context.stop(); });
  context.run();
  CHECK(context.stopped());
  enough = true;
  settle(on, ended); // Starts it again, for good.
  CHECK_FALSE(context.stopped());
}

TEST_CASE("a handler's exception leaves the wait of the main thread, and no trace of it") {
  asio_backend<2> backend;
  auto& on = backend.get();
  auto done = std::make_unique<latch>();
  boost::asio::post(platform::foreground_context(on), [] { throw std::runtime_error{"of the host"}; });
  CHECK_THROWS_AS((void)on.block_until(*done, {}), std::runtime_error);
  done->release();
  done.reset();
  latch other;
  job work{[&] { other.release(); }};
  REQUIRE_FALSE(on.dispatch(foreground_lane, work, priority::normal));
  settle(on, other);
}

TEST_CASE("handlers that are pending at the end are destroyed, and find the dispatcher stopped but whole") {
  job late;
  int refused = 0;
  {
    asio_backend<2> backend;
    auto& on = backend.get();
    struct at_exit {
      std::function<void()> call;
      explicit at_exit(std::function<void()> what) : call{std::move(what)} {}
      ~at_exit() { call(); }
    };
    for (auto* context : {&platform::background_context(on), &platform::foreground_context(on)}) {
      auto timer = std::make_shared<boost::asio::steady_timer>(*context, 1h);
      auto guard = std::make_shared<at_exit>([&] {
        for (const lane where : {background_lane, foreground_lane, lane{7}})
          refused += is(on.dispatch(where, late, priority::normal), dispatch_errc::stopped);
        refused += !on.dispatch_after(1ms, background_lane, late, priority::normal);
        refused += !on.cancel({1});
        latch never;
        refused += is(on.block_until(never, {}), dispatch_errc::stopped);
        on.stop(0s); // Harmless here too.
      });
      timer->async_wait([timer, guard](const boost::system::error_code&) { std::abort(); });
    }
  }
  CHECK(refused == 2 * 6);
  CHECK(late.runs() + late.drops() == 0);
}

} // namespace troupe::test
