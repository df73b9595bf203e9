// How runs end: what the simulator calls a failure, and what it says of it.
#include "sim/scenario.hpp"
#include "sim/simulator.hpp"
#include "tests/support/threads.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <thread>

using namespace troupe;
using namespace std::chrono_literals;

TEST_CASE("an exception in the test, in an actor, or in a task is a verdict") {
  auto in_test = simulator::once(0, [](simulator&) { throw std::runtime_error("alpha"); });
  CHECK(in_test.end == verdict::exception);
  CHECK(in_test.message.find("alpha") != std::string::npos);
  auto in_actor = simulator::once(
      0, [](simulator& sim) { sim.caf().spawn([](caf::event_based_actor*) { throw std::runtime_error("beta"); }); });
  CHECK(in_actor.end == verdict::exception);
  CHECK(in_actor.message.find("beta") != std::string::npos);
  auto in_task = simulator::once(
      0, [](simulator& sim) { sim.root().open_session().spawn([] { throw std::runtime_error("gamma"); }).detach(); });
  CHECK(in_task.end == verdict::exception);
  CHECK(in_task.message.find("gamma") != std::string::npos);
  CHECK(in_task.message.find("verdict_test.cpp") != std::string::npos);
}

TEST_CASE("an actor that handles its own exceptions is left alone") {
  auto result = simulator::once(0, [](simulator& sim) {
    auto a = sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
      self->set_exception_handler([](std::exception_ptr&) -> caf::error { return caf::sec::runtime_error; });
      return {[](int) { throw std::runtime_error("handled"); }};
    });
    caf::anon_send(a, 1);
    sim.run_until_idle();
  });
  CHECK_FALSE(result.is_failure());
}

TEST_CASE("a deadlock is reported with each stuck task, its spawn site, and what it waits for") {
  auto result = simulator::once(0, [](simulator& sim) {
    struct pair {
      task<void> first, second;
    };
    auto both = std::make_shared<pair>();
    auto s = sim.root().open_session({.name = "stuck"});
    both->first = s.spawn([both]() -> async<void> { co_await both->second; }, {.name = "first"});
    both->second = s.spawn([both]() -> async<void> { co_await both->first; }, {.name = "second"});
    s.start_close();
  });
  CHECK(result.end == verdict::deadlock);
  for (auto* part : {"'first'", "'second'", "verdict_test.cpp", "s2.t2", "s2.t1", "never_completes"})
    CHECK_MESSAGE(result.message.find(part) != std::string::npos, part << " in " << result.message);
}

TEST_CASE("waiting for what never comes is a deadlock of the waiter, at once") {
  std::error_code seen;
  simulator::once(0, [&](simulator& sim) {
    auto never = sim.root().spawn([]() -> async<void> { co_await std::suspend_always{}; });
    seen = sim.block_on(std::move(never)).error();
  });
  CHECK(seen == errc::would_deadlock);
}

TEST_CASE("a session that closes with work left is dangling, and its survivors are named") {
  auto result = simulator::once(0, [](simulator& sim) {
    auto s = sim.root().open_session({.name = "hasty", .grace = 1s, .shutdown_budget = 1s});
    s.spawn(
         []() -> async<void> {
           try {
             co_await sleep_for(1h);
           } catch (const task_cancelled&) {
           }
           co_await std::suspend_always{};
         },
         {.name = "stubborn"})
        .detach();
    sim.run_until_idle();
    sim.block_on(s.close());
  });
  CHECK(result.end != verdict::ok);
  CHECK_MESSAGE(result.message.find("stubborn") != std::string::npos, result.message);
}

TEST_CASE("a run that never ends is stopped at its step limit") {
  auto result = simulator::once(0,
                                [](simulator& sim) {
                                  sim.root()
                                      .daemon([]() -> async<void> {
                                        for (;;)
                                          co_await yield();
                                      })
                                      .detach();
                                  sim.run_until_idle();
                                },
                                {.max_steps = 1000});
  CHECK(result.end == verdict::step_limit);
  CHECK(result.steps == 1000);
}

TEST_CASE("work from a foreign thread is kept safe and reported" * doctest::skip(!troupe::testing::has_threads)) {
  auto result = simulator::once(0, [](simulator& sim) {
    auto sink = sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; });
    std::thread{[&] {
      caf::anon_send(sink, 1);
      sim.root().spawn([] {}).detach();
    }}.join();
    sim.run_until_idle();
  });
  CHECK(result.end == verdict::foreign_thread);
}

TEST_CASE("a failed check ends the run, from wherever it is called") {
  bool went_on = false;
  auto result = simulator::once(0, [&](simulator& sim) {
    auto a = sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior {
      return {[](int value) { simulator::current()->check(value < 3, "three arrived"); }};
    });
    for (int i : {1, 2, 3, 4})
      caf::anon_send(a, i);
    sim.run_until_idle();
    went_on = sim.step();
  });
  CHECK(result.end == verdict::failed);
  CHECK(result.message == "three arrived");
  CHECK_FALSE(went_on);
}

TEST_CASE("thousands of failing runs leave nothing behind") {
  int alive = 0;
  struct held {
    explicit held(int& count) : count_(&count) { ++*count_; }
    held(const held& other) : count_(other.count_) { ++*count_; }
    ~held() { --*count_; }
    int* count_;
  };
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    simulator::once(seed, [&](simulator& sim) {
      // Two actors that hold each other, and a task that nothing wakes.
      auto a = sim.caf().spawn([h = held{alive}](caf::event_based_actor* self) -> caf::behavior {
        return {[=](caf::actor peer) { self->become([peer, h](int) {}); }};
      });
      auto b = sim.caf().spawn([a, h = held{alive}](caf::event_based_actor* self) -> caf::behavior {
        self->send(a, caf::actor{self});
        return {[a, h](int) {}};
      });
      auto s = sim.root().open_session();
      s.spawn([h = held{alive}]() -> async<void> { co_await std::suspend_always{}; }).detach();
      s.spawn([h = held{alive}]() -> async<void> { co_await sleep_for(1h); }).detach();
      sim.run_until_idle();
      sim.fail("on purpose");
    });
    REQUIRE(alive == 0);
  }
}
