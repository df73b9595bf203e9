// Who runs what on the threads of the Asio dispatcher's background lane: stealing, fairness, waking.
#include "platform/asio_context.hpp"
#include "tests/contracts/asio_backend.hpp"
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <deque>
#include <random>
#include <vector>

namespace troupe::test {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#  define TROUPE_TEST_IS_SANITIZED
#elif defined(__has_feature)
#  if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#    define TROUPE_TEST_IS_SANITIZED
#  endif
#endif
#ifdef TROUPE_TEST_IS_SANITIZED
constexpr int stress_rounds = 20'000;
#elif defined(_WIN32)
constexpr int stress_rounds = 2'000; // Each round goes through the kernel there, and under Wine through its server.
#else
constexpr int stress_rounds = 200'000;
#endif

} // namespace

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

TEST_CASE("work of a worker's own is not starved by what comes from outside, nor the other way round") {
  for (const bool critical_work : {false, true}) {
    asio_backend<1> backend;
    auto& on = backend.get();
    gate held;
    std::atomic<bool> enough = false;
    constexpr int count = 2000;
    countdown ended{2};
    countdown all{2 * count};
    int first_inner = -1; // How many of the others had run by then.
    int first_outer = -1;
    int inner_count = 0;
    int outer_count = 0;
    std::deque<job> inner;
    std::deque<job> outer;
    for (int i = 0; i < count; ++i) {
      inner.emplace_back([&] {
        first_inner = inner_count++ == 0 ? outer_count : first_inner;
        all.arrive();
      });
      outer.emplace_back([&] {
        first_outer = outer_count++ == 0 ? inner_count : first_outer;
        all.arrive();
      });
    }
    job* self = nullptr;
    job greedy{[&] {
      if (enough || !critical_work)
        ended.arrive();
      else
        CHECK_FALSE(on.dispatch(background_lane, *self, priority::critical));
    }};
    self = &greedy;
    job start{[&] {
      held.pass();
      // Fewer than the ring holds, so that they stay there.
      for (int i = 0; i < 100; ++i)
        CHECK_FALSE(on.dispatch(background_lane, inner[static_cast<std::size_t>(i)], priority::normal));
      ended.arrive();
    }};
    REQUIRE_FALSE(on.dispatch(background_lane, start, priority::normal));
    for (auto& each : outer)
      REQUIRE_FALSE(on.dispatch(background_lane, each, priority::normal));
    REQUIRE_FALSE(on.dispatch(background_lane, greedy, priority::critical));
    for (int i = 100; i < count; ++i)
      all.arrive();
    held.open();
    settle(on, all.done);
    enough = true;
    settle(on, ended.done);
    CHECK(first_inner < 50);
    CHECK(first_outer < 50);
  }
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
      // At every distance from the moment in which a worker that has run out of work parks.
      if (round % 4 < 2)
        for (const auto until = on.now() + std::chrono::nanoseconds{random() % 40'000}; on.now() < until;)
          continue;
      REQUIRE_FALSE(on.dispatch(background_lane, round % 2 == 0 ? first : second, all_priorities[round / 2 % 4]));
      settle(on, done);
    }
  }
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

} // namespace troupe::test
