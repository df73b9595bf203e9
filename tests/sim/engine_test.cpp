// What the simulator's engine can and cannot show: order models, time, determinism, and its verdicts.
#include "actors/ask.hpp"
#include "sim/fifo_strategy.hpp"
#include "sim/random_strategy.hpp"
#include "sim/scenario.hpp"
#include "sim/simulator.hpp"
#include "tests/support/threads.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <map>
#include <set>
#include <thread>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// Two senders that each send to A, B, A: what A and B saw, as text.
std::string two_senders(std::uint64_t seed, order_model model) {
  std::string a, b;
  auto result = simulator::once(seed,
                                [&](simulator& sim) {
                                  auto recorder = [&](std::string& into) {
                                    return sim.caf().spawn([&into](caf::event_based_actor*) -> caf::behavior {
                                      return {[&into](int value) { into += std::to_string(value); }};
                                    });
                                  };
                                  auto A = recorder(a), B = recorder(b);
                                  for (int i : {1, 2})
                                    sim.caf().spawn([=](caf::event_based_actor* self) {
                                      self->send(A, i);
                                      self->send(B, i);
                                      self->send(A, i + 2);
                                    });
                                  sim.run_until_idle();
                                },
                                {.model = model});
  CHECK_MESSAGE(!result.is_failure(), result.message);
  return "A " + a + " B " + b;
}

std::set<std::string> outcomes(order_model model) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 3000; ++seed)
    seen.insert(two_senders(seed, model));
  return seen;
}

/// A run with a bit of everything: sessions, tasks, timers, actors, asks.
void busy(simulator& sim) {
  auto adder = sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[=](int value) {
              self->delayed_send(self, std::chrono::seconds(value), caf::ok_atom{});
              return value + 1;
            },
            [](caf::ok_atom) {}};
  });
  for (int i = 1; i <= 3; ++i) {
    auto s = sim.root().open_session({.name = "request"});
    s.spawn([=, &sim]() -> async<void> {
       co_await sim.yield_random();
       co_await ask<int>(adder, 1min, i);
       co_await sleep_for(std::chrono::seconds(i % 2));
     }).detach();
    s.wait_until([]() -> async<void> { co_await sleep_for(5s); });
    s.start_close();
  }
  sim.run_for(10s);
}

} // namespace

TEST_CASE("two senders of A, B, A have exactly 10 outcomes when sends interleave") {
  CHECK(outcomes(order_model::local) ==
        std::set<std::string>{"A 1234 B 12", "A 1234 B 21", "A 1243 B 12", "A 1243 B 21", "A 1324 B 12", "A 2134 B 12",
                              "A 2134 B 21", "A 2143 B 12", "A 2143 B 21", "A 2413 B 21"});
}

TEST_CASE("they have exactly 2 outcomes when handlers are atomic") {
  CHECK(outcomes(order_model::atomic) == std::set<std::string>{"A 1324 B 12", "A 2413 B 21"});
}

TEST_CASE("one sender's messages to one receiver keep their order, also after a skip") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::string seen;
    simulator::once(seed, [&](simulator& sim) {
      auto receiver = sim.caf().spawn([&](caf::event_based_actor* self) -> caf::behavior {
        self->set_default_handler(caf::skip);
        return {[&seen, self](caf::ok_atom) { self->become([&seen](int value) { seen += std::to_string(value); }); }};
      });
      sim.caf().spawn([=](caf::event_based_actor* self) {
        self->send(receiver, 1);
        self->send(receiver, 2);
        self->send(receiver, caf::ok_atom{});
        self->send(receiver, 3);
      });
      sim.run_until_idle();
      caf::anon_send_exit(receiver, caf::exit_reason::user_shutdown);
    });
    REQUIRE(seen == "123");
  }
}

TEST_CASE("what a handler sends before it spawns a task is seen before what the task sends") {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    std::string seen;
    simulator::once(seed, [&](simulator& sim) {
      auto receiver = sim.caf().spawn([&](caf::event_based_actor*) -> caf::behavior {
        return {[&](int value) { seen += std::to_string(value); }};
      });
      sim.caf().spawn([&, receiver](caf::event_based_actor* self) {
        self->send(receiver, 1);
        sim.root().spawn([receiver] { caf::anon_send(receiver, 2); }).detach();
        self->spawn([receiver](caf::event_based_actor* child) { child->send(receiver, 2); });
      });
      sim.run_until_idle();
    });
    REQUIRE(seen == "122");
  }
}

TEST_CASE("whoever sees a task settled comes after what the task has sent") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    std::string seen;
    auto result = simulator::once(seed, [&](simulator& sim) {
      auto receiver = sim.caf().spawn([&](caf::event_based_actor*) -> caf::behavior {
        return {[&](int value) { seen += std::to_string(value); }};
      });
      auto first = sim.root().spawn([receiver] { caf::anon_send(receiver, 1); });
      auto second = sim.root().spawn([&, receiver]() -> async<void> {
        co_await first;
        caf::anon_send(receiver, 2);
      });
      auto s = sim.root().open_session();
      s.spawn([receiver] { caf::anon_send(receiver, 3); }).detach();
      auto third = sim.root().spawn([s, receiver, &second]() -> async<void> {
        auto closed = s.close();
        co_await closed;
        co_await second;
        caf::anon_send(receiver, 4);
      });
      sim.block_on(std::move(third));
      sim.run_until_idle();
    });
    REQUIRE_FALSE(result.is_failure());
    REQUIRE((seen == "1234" || seen == "1324" || seen == "3124"));
  }
}

TEST_CASE("the same seed gives the same trace, and seeds differ") {
  std::set<std::uint64_t> traces, outcomes;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    auto first = simulator::once(seed, busy);
    auto second = simulator::once(seed, busy);
    REQUIRE_MESSAGE(!first.is_failure(), first.message);
    REQUIRE(first.trace_hash == second.trace_hash);
    REQUIRE(first.decisions == second.decisions);
    traces.insert(first.trace_hash);
    outcomes.insert(first.outcome_hash);
  }
  CHECK(traces.size() > 90);
  CHECK(outcomes.size() > 50);
}

TEST_CASE("ten thousand double runs agree") {
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    auto small = [](simulator& sim) {
      auto s = sim.root().open_session();
      for (int i = 0; i < 3; ++i)
        s.spawn([&sim]() -> async<void> { co_await sim.yield_random(); }).detach();
      s.start_close();
    };
    REQUIRE(simulator::once(seed, small).trace_hash == simulator::once(seed, small).trace_hash);
  }
}

TEST_CASE("a trace is the same with every compiler and optimisation level") {
  // Computed once; another figure means that old seeds and tapes do not repeat any more.
  auto result = simulator::once(7, [](simulator& sim) {
    auto sink = sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; });
    for (int i = 0; i < 4; ++i)
      sim.root()
          .spawn([=]() -> async<void> {
            caf::anon_send(sink, i);
            co_await sleep_for(std::chrono::seconds(i / 2));
            caf::anon_send(sink, i);
          })
          .detach();
    sim.run_for(1min);
  });
  CHECK_FALSE(result.is_failure());
  CHECK(result.trace_hash == 8050665853349742759ull);
}

TEST_CASE("without randomised order every run is the fifo run") {
  fifo_strategy fifo;
  auto expected = run_scenario(busy, {}, fifo);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    random_strategy random{seed};
    auto result = run_scenario(busy, {.randomize_order = false}, random);
    CHECK(result.trace_hash == expected.trace_hash);
    CHECK(result.decisions.empty());
  }
}

TEST_CASE("randomised delays are decisions, never earlier than asked for") {
  std::set<platform::duration> slept;
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    simulator::once(seed,
                    [&](simulator& sim) {
                      auto begin = sim.now();
                      sim.block_on(sim.root().spawn([]() -> async<void> { co_await sleep_for(4s); }));
                      slept.insert(sim.now() - begin);
                    },
                    {.randomize_delays = true});
  CHECK(slept == std::set<platform::duration>{4s, 5s, 6s, 8s});
}

TEST_CASE("timers that are due together fire in any order, others in order of time") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    simulator::once(seed, [&](simulator& sim) {
      std::string order;
      for (int i : {1, 1, 2})
        sim.root()
            .spawn([&order, i, n = order.size()]() -> async<void> {
              co_await sleep_for(std::chrono::seconds(i));
              order += std::to_string(i);
            })
            .detach();
      for (char c : {'a', 'b'})
        sim.root()
            .spawn([&order, c]() -> async<void> {
              co_await sleep_for(5s);
              order += c;
            })
            .detach();
      sim.run_for(10s);
      seen.insert(order);
    });
  CHECK(seen == std::set<std::string>{"112ab", "112ba"});
}

TEST_CASE("run_until_idle leaves the clock alone; run_until and run_for move it") {
  simulator::once(1, [](simulator& sim) {
    auto begin = sim.now();
    bool done = false;
    sim.root()
        .spawn([&]() -> async<void> {
          co_await sleep_for(3s);
          done = true;
        })
        .detach();
    sim.run_until_idle();
    CHECK(sim.now() == begin);
    CHECK_FALSE(done);
    CHECK(sim.run_until([&] { return done; }));
    CHECK(sim.now() - begin == 3s);
    CHECK_FALSE(sim.run_until([] { return false; }));
    sim.advance(1min);
    CHECK(sim.now() - begin == 63s);
  });
}

// -- verdicts -----------------------------------------------------------------

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
  CHECK(in_task.message.find("engine_test.cpp") != std::string::npos);
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
  for (auto* part : {"'first'", "'second'", "engine_test.cpp", "s2.t2", "s2.t1", "never_completes"})
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
