// The Asio dispatcher keeps the contract, and what it promises beyond that.
#include "platform/asio_context.hpp"
#include "platform/asio_dispatcher.hpp"
#include "tests/contracts/dispatcher_contract.hpp"
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <random>

namespace troupe::test {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int stress_rounds = 20'000;
#else
constexpr int stress_rounds = 200'000;
#endif

template <std::size_t Threads>
struct asio_backend {
  static constexpr std::size_t threads = Threads;
  static constexpr std::size_t threads_per_lane = 1;
  static constexpr bool has_threads = true;
  static constexpr bool is_weighted = true;
  static constexpr bool allocates_nothing = true;

  dispatcher& get() noexcept { return *dispatcher_; }

private:
  std::unique_ptr<dispatcher> dispatcher_ = platform::make_asio_dispatcher({.thread_count = Threads});
};

/// Holds a thread until it is opened.
class gate {
public:
  void open() { done_.release(); }
  void pass() {
    while (!done_.is_released())
      std::this_thread::sleep_for(100us);
  }

private:
  latch done_;
};

} // namespace

using asio_pool_of_two = asio_backend<2>;
using asio_pool_of_four = asio_backend<4>;
} // namespace troupe::test

TYPE_TO_STRING(troupe::test::asio_pool_of_two);
TYPE_TO_STRING(troupe::test::asio_pool_of_four);

namespace troupe::test {

TROUPE_DISPATCHER_CONTRACT(asio_pool_of_two);
TROUPE_DISPATCHER_CONTRACT(asio_pool_of_four);

TEST_CASE("an Asio dispatcher has the threads that it says, and at least two unless told otherwise") {
  const auto threads = [] {
    const std::filesystem::directory_iterator tasks{"/proc/self/task"};
    return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
  };
  CHECK(platform::make_asio_dispatcher()->thread_count() >= 2);
#ifdef __linux__
  const auto before = threads();
  {
    const auto on = platform::make_asio_dispatcher({.thread_count = 3});
    CHECK(threads() == before + 3);
    open(*on);
    CHECK(threads() == before + 4);
    CHECK(on->thread_count() == 4);
    latch done;
    job work{[&] { done.release(); }};
    REQUIRE(on->dispatch_after(1ms, background_lane, work, priority::normal));
    settle(*on, done);
    CHECK(threads() == before + 4);
  }
  CHECK(threads() == before);
#endif
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

TEST_CASE("what a blocked worker has set aside is run by another one") {
  asio_backend<2> backend;
  auto& on = backend.get();
  for (const int count : {1, 2, 40, 1000}) // The slot alone, the ring, more than the ring holds.
    for (int round = 0; round < 10; ++round) {
      // Sometimes both workers sleep when it begins, sometimes not.
      if (round % 2 == 0)
        std::this_thread::sleep_for(3ms);
      gate held;
      countdown all{count};
      std::deque<job> jobs;
      for (int i = 0; i < count; ++i)
        jobs.emplace_back([&] { all.arrive(); });
      latch ended;
      job blocker{[&] {
        for (auto& each : jobs)
          CHECK_FALSE(on.dispatch(background_lane, each, priority::normal));
        held.pass();
        ended.release();
      }};
      REQUIRE_FALSE(on.dispatch(background_lane, blocker, priority::normal));
      const auto before = on.now();
      settle(on, all.done);
      CHECK(on.now() - before < 5s); // A few milliseconds, but the machine may be busy.
      held.open();
      settle(on, ended);
    }
}

TEST_CASE("weights hold within each thread of the pool") {
  asio_backend<1> backend;
  auto& on = backend.get();
  constexpr int per_class = 60;
  std::deque<job> jobs;
  std::vector<priority> picks;
  countdown all{4 * per_class};
  job filler{[&] {
    for (int i = 0; i < per_class; ++i)
      for (const auto urgency : all_priorities)
        CHECK_FALSE(on.dispatch(background_lane, jobs.emplace_back([&, urgency] {
          picks.push_back(urgency);
          all.arrive();
        }),
                                urgency));
  }};
  REQUIRE_FALSE(on.dispatch(background_lane, filler, priority::normal));
  settle(on, all.done);
  // Critical work is the first to run out: 8 of 15 picks are its own.
  for (std::size_t first = 0; first < 90; ++first) {
    const auto begin = picks.begin() + static_cast<std::ptrdiff_t>(first);
    for (const auto urgency : all_priorities)
      CHECK(std::count(begin, begin + priority_weight_sum, urgency) >=
            static_cast<int>(priority_weights[static_cast<std::size_t>(urgency)]));
  }
}

TEST_CASE("work from outside is not starved by runnables that keep every worker busy") {
  asio_backend<2> backend;
  auto& on = backend.get();
  std::atomic<bool> enough = false;
  constexpr int pairs = 4;
  countdown ended{pairs};
  std::deque<job> busy;
  for (int i = 0; i < pairs; ++i)
    busy.emplace_back([&, i] {
      if (enough)
        ended.arrive();
      else
        CHECK_FALSE(on.dispatch(background_lane, busy[static_cast<std::size_t>(i)], priority::normal));
    });
  for (auto& each : busy)
    REQUIRE_FALSE(on.dispatch(background_lane, each, priority::normal));
  for (const auto urgency : all_priorities) {
    countdown all{20};
    std::deque<job> jobs;
    for (int i = 0; i < 10; ++i) {
      REQUIRE_FALSE(on.dispatch(background_lane, jobs.emplace_back([&] { all.arrive(); }), urgency));
      REQUIRE(on.dispatch_after(1ms, background_lane, jobs.emplace_back([&] { all.arrive(); }), urgency));
    }
    settle(on, all.done);
  }
  latch handled;
  boost::asio::post(platform::background_context(on), [&] { handled.release(); });
  settle(on, handled);
  enough = true;
  settle(on, ended.done);
}

TEST_CASE("no wake-up is lost") {
  for (const std::size_t threads : {1, 2}) {
    const auto dispatcher = platform::make_asio_dispatcher({.thread_count = threads});
    auto& on = *dispatcher;
    std::minstd_rand random{1};
    for (int round = 0; round < stress_rounds / 2; ++round) {
      latch done;
      job second{[&] { done.release(); }};
      job first{[&] { CHECK_FALSE(on.dispatch(background_lane, second, priority::normal)); }};
      // From every distance to the moment in which the worker parks.
      for (auto wait = random() % 4096 >> random() % 12; wait > 0; --wait)
        std::atomic_signal_fence(std::memory_order_seq_cst);
      REQUIRE_FALSE(on.dispatch(background_lane, round % 2 == 0 ? first : second, all_priorities[round / 2 % 4]));
      settle(on, done);
    }
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
  settle(on, ended); // Starts it again.
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

TEST_CASE("every runnable of a storm is run once, whoever steals it") {
  asio_backend<4> backend;
  auto& on = backend.get();
  constexpr std::size_t count = 20'000;
  std::deque<job> jobs;
  countdown all{count};
  // Each runs the two below it, as in a heap: rings fill, overflow and are stolen from; a few classes are mixed in.
  for (std::size_t i = 0; i < count; ++i)
    jobs.emplace_back([&, i] {
      for (auto child = 2 * i + 1; child <= 2 * i + 2 && child < count; ++child)
        if (on.dispatch(background_lane, jobs[child], child % 7 == 0 ? all_priorities[child % 4] : priority::normal))
          std::abort();
      all.arrive();
    });
  REQUIRE_FALSE(on.dispatch(background_lane, jobs[0], priority::normal));
  settle(on, all.done);
  REQUIRE(on.stop(20s));
  for (auto& each : jobs)
    REQUIRE(each.runs() == 1);
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
