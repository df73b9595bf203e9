// Whose threads everything runs on, and how Troupe gets on with the host's own use of GCD.
#include "platform/gcd_api.hpp"
#include "sessions/system.hpp"
#include "tests/contracts/asio_backend.hpp"
#include "tests/gcd/gcd_backend.hpp"
#include "tests/gcd/host_loop.hpp"
#include <caf/all.hpp>
#include <deque>
#include <set>
#include <string_view>
#include <thread>

#if defined(__has_feature)
#  if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#    define TROUPE_TEST_IS_SANITIZED
#  endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#  define TROUPE_TEST_IS_SANITIZED
#endif

#if defined(__linux__) && !defined(TROUPE_TEST_IS_SANITIZED)
#  define TROUPE_TEST_SEES_NEW_THREADS
#  include <dlfcn.h>
#  include <pthread.h>

namespace {
std::atomic<int> made_by_gcd = 0;
std::atomic<int> made_by_others = 0;
} // namespace

// In front of the system's own: notes which library starts a thread.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
                              void* argument) noexcept {
  using function = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto original = reinterpret_cast<function>(dlsym(RTLD_NEXT, "pthread_create"));
  Dl_info caller{};
  const bool is_known = dladdr(__builtin_return_address(0), &caller) != 0 && caller.dli_fname;
  const bool is_gcd = is_known && std::string_view{caller.dli_fname}.find("libdispatch") != std::string_view::npos;
  (is_gcd ? made_by_gcd : made_by_others).fetch_add(1);
  return original(thread, attributes, body, argument);
}
#endif

namespace troupe::test {

TEST_CASE("all actors, tasks, lanes and timers run on GCD's threads, and Troupe starts none") {
#ifdef TROUPE_TEST_SEES_NEW_THREADS
  const int before = made_by_others.load();
  std::thread{[] {}}.join();
  CHECK(made_by_others.load() == before + 1); // It does see them.
#endif
  {
    troupe::system sys{platform::make_gcd_dispatcher({.width = 2})};
    CHECK(sys.dispatcher().thread_count() == 0);
    constexpr int pairs = 50, rounds = 200;
    std::atomic<int> elsewhere = 0, left = pairs;
    latch done;
    const auto look = [&] { elsewhere += !sys.dispatcher().is_on(background_lane); };
    for (int i = 0; i < pairs; ++i) {
      auto echo = sys.caf().spawn([&](caf::event_based_actor*) -> caf::behavior {
        return {[&](int value) {
          look();
          return value;
        }};
      });
      sys.caf().spawn([&, echo](caf::event_based_actor* self) -> caf::behavior {
        self->send(echo, 1);
        return {[&, self, echo](int value) {
                  look();
                  if (value < rounds)
                    self->send(echo, value + 1);
                  else
                    self->delayed_send(self, 1ms, caf::ok_atom{});
                },
                [&, self, echo](caf::ok_atom) {
                  look();
                  self->send_exit(echo, caf::exit_reason::user_shutdown);
                  self->quit();
                  if (left.fetch_sub(1) == 1)
                    done.release();
                }};
      });
    }
    settle(sys.dispatcher(), done);
    auto& alone = sys.make_dedicated("alone");
    auto s = sys.open_session();
    CHECK(sys.block_on(s.spawn([] { return 1; })).has_value());
    CHECK(sys.block_on(s.spawn([] { return 1; }, {.on = &alone})).has_value());
    CHECK(sys.block_on(s.spawn([] { return 1; }, {.on = &sys.foreground()})).has_value());
    CHECK(sys.block_on(s.spawn([]() -> async<void> { co_await sleep_for(1ms); })).has_value());
    CHECK(elsewhere == 0);
    CHECK(sys.dispatcher().thread_count() == 0);
    CHECK(sys.shutdown().is_clean());
  }
#ifdef TROUPE_TEST_SEES_NEW_THREADS
  // CAF 1 starts a thread for each actor system (docs/caf-versions.md).
  CHECK(made_by_others.load() == before + (CAF_MAJOR_VERSION == 0 ? 1 : 2));
  CHECK(made_by_gcd.load() > 0);
#endif
}

TEST_CASE("a host with a loop of its own runs foreground work through the main queue's handle") {
  troupe::system sys{platform::make_gcd_dispatcher()};
  auto s = sys.open_session();
  int steps = 0;
  auto work = s.spawn(
      [&]() -> async<void> {
        for (; steps < 5; ++steps)
          co_await sleep_for(1ms);
      },
      {.on = &sys.foreground()});
  CHECK(run_host_loop([&] { return is_terminal(work.state()); }));
  CHECK(steps == 5);
  auto closed = s.close();
  CHECK(run_host_loop([&] { return is_terminal(closed.state()); }));
  CHECK(s.report().is_clean());
}

TEST_CASE("blocks of the host go on while the main thread waits, and while the foreground lane is never empty") {
  gcd_backend<2> backend;
  auto& on = backend.get();
  latch done;
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
  dispatch_async_f(dispatch_get_main_queue(), &done, [](void* context) { static_cast<latch*>(context)->release(); });
  settle(on, done);
  // The same if the host runs the queue.
  latch again;
  dispatch_async_f(dispatch_get_main_queue(), &again, [](void* context) { static_cast<latch*>(context)->release(); });
  CHECK(run_host_loop([&] { return again.is_released(); }));
  enough = true;
  settle(on, ended);
}

TEST_CASE("a block of the host that waits keeps others back, but loses none of them") {
  gcd_backend<2> backend;
  struct shared {
    dispatcher& on;
    job foreground;
    bool waited = false;
    bool other_ran = false;
    bool other_ran_within = false;
  } seen{backend.get(), job{}};
  dispatch_async_f(dispatch_get_main_queue(), &seen, [](void* context) {
    auto& s = *static_cast<shared*>(context);
    dispatch_async_f(dispatch_get_main_queue(), context,
                     [](void* same) { static_cast<shared*>(same)->other_ran = true; });
    CHECK_FALSE(s.on.dispatch(foreground_lane, s.foreground, priority::normal));
    latch never;
    CHECK(is(s.on.block_until(never, s.on.now() + 5ms), dispatch_errc::timed_out));
    s.other_ran_within = s.other_ran;
    s.waited = true;
  });
  CHECK(run_host_loop([&] { return seen.other_ran; }));
  CHECK(seen.waited);
  CHECK(seen.foreground.runs() == 1); // The lane goes on within the wait.
  CHECK_FALSE(seen.other_ran_within); // GCD does not run its main queue within itself.
}

TEST_CASE("a background lane that is never empty leaves room for the host's blocks on the global queues") {
  gcd_backend<2> backend;
  auto& on = backend.get();
  std::atomic<bool> enough = false;
  std::deque<job> busy;
  countdown ended{8};
  for (int i = 0; i < 8; ++i) {
    const auto index = static_cast<std::size_t>(i);
    busy.emplace_back([&, index] {
      if (enough)
        ended.arrive();
      else
        CHECK_FALSE(on.dispatch(background_lane, busy[index], priority::normal));
    });
  }
  for (auto& each : busy)
    REQUIRE_FALSE(on.dispatch(background_lane, each, priority::normal));
  for (const auto urgency : all_priorities) {
    latch ran;
    platform::note_handed_over(&ran);
    dispatch_async_f(platform::global_queue(urgency), &ran, [](void* context) {
      platform::note_taken(context);
      static_cast<latch*>(context)->release();
    });
    settle(on, ran);
  }
  enough = true;
  settle(on, ended.done);
}

TEST_CASE("what waits behind a runnable that keeps its thread is run by another drain") {
  gcd_backend<2> backend;
  auto& on = backend.get();
  for (const int count : {1, 2, 40, 1000}) {
    gate held;
    countdown all{count};
    countdown left{1};
    std::deque<job> jobs;
    for (int i = 0; i < count; ++i)
      jobs.emplace_back([&] { all.arrive(); });
    job keeps{[&] {
      for (auto& each : jobs)
        CHECK_FALSE(on.dispatch(background_lane, each, priority::normal));
      held.pass();
      left.arrive();
    }};
    REQUIRE_FALSE(on.dispatch(background_lane, keeps, priority::normal));
    settle(on, all.done);
    held.open();
    settle(on, left.done);
  }
}

TEST_CASE("work that arrives while a drain ends is not left behind") {
  gcd_backend<1> backend;
  auto& on = backend.get();
  std::atomic<int> ran = 0;
  job work{[&] { ran.fetch_add(1); }};
  const auto give_up = on.now() + 20s;
  for (int round = 0; round < 20'000 && on.now() < give_up; ++round) {
    REQUIRE_FALSE(on.dispatch(background_lane, work, priority::normal));
    while (ran <= round && on.now() < give_up)
      std::this_thread::yield();
    REQUIRE(ran == round + 1);
    // A drain looks for more for some microseconds before it ends.
    for (int i = 0, spins = round % 500; i < spins; ++i)
      std::atomic_signal_fence(std::memory_order_seq_cst);
    if (round % 7 == 0)
      std::this_thread::yield();
  }
  CHECK(on.stop(20s));
}

TEST_CASE("more runnables may wait for each other than may run at once") {
  gcd_backend<2> backend;
  auto& on = backend.get();
  constexpr int count = 4;
  std::deque<latch> opened(count + 1);
  std::deque<job> jobs;
  countdown all{count};
  for (std::size_t i = 0; i < count; ++i)
    jobs.emplace_back([&, i] {
      CHECK_FALSE(on.block_until(opened[i + 1], on.now() + 20s));
      opened[i].release();
      all.arrive();
    });
  for (auto& each : jobs)
    REQUIRE_FALSE(on.dispatch(background_lane, each, priority::normal));
  job last{[&] { opened[count].release(); }};
  REQUIRE_FALSE(on.dispatch(background_lane, last, priority::normal));
  settle(on, all.done);
  CHECK(opened[0].is_released());
}

TEST_CASE("a system ends at once although its actors were spawned on threads that live on") {
  auto sys = std::make_unique<troupe::system>(platform::make_gcd_dispatcher());
  auto s = sys->open_session();
  auto& alone = sys->make_dedicated("alone");
  for (executor* on : {static_cast<executor*>(&sys->background()), static_cast<executor*>(&sys->foreground()),
                       static_cast<executor*>(&alone)})
    CHECK(sys->block_on(s.spawn([&] { sys->caf().spawn([](caf::event_based_actor*) {}); }, {.on = on})).has_value());
  // A block of the host opens a session.
  struct shared {
    troupe::system& sys;
    latch done;
  } block{*sys, {}};
  platform::note_handed_over(&block);
  dispatch_async_f(platform::global_queue(priority::normal), &block, [](void* context) {
    platform::note_taken(context);
    auto& b = *static_cast<shared*>(context);
    CHECK(b.sys.open_session().is_open());
    b.done.release();
  });
  settle(sys->dispatcher(), block.done);
  const auto before = std::chrono::steady_clock::now();
  sys.reset();
  // GCD keeps its idle threads for five seconds.
  CHECK(std::chrono::steady_clock::now() - before < 3s);
}

TEST_CASE("a cancelled timer keeps nothing alive") {
  troupe::system sys{platform::make_gcd_dispatcher()};
  auto s = sys.open_session();
  auto kept = std::make_shared<int>(1);
  std::weak_ptr<int> seen = kept;
  auto sleeper = s.spawn([held = std::move(kept)]() -> async<void> {
    auto copy = held;
    co_await sleep_for(1h);
  });
  CHECK(sys.block_on(s.spawn([]() -> async<void> { co_await sleep_for(1ms); })).has_value());
  CHECK_FALSE(seen.expired());
  sleeper.cancel();
  CHECK_FALSE(sys.block_on(std::move(sleeper)).has_value());
  CHECK(sys.block_on(s.close()).has_value());
  CHECK(seen.expired());
}

} // namespace troupe::test
