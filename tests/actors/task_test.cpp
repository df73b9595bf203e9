// The life of a task, on the simulator's engine: results, waiting, cancellation, settlement.
#include "tests/support/simulated_host.hpp"
#include <doctest/doctest.h>
#include <stdexcept>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {
struct counted {
  explicit counted(int& alive) : alive_(&alive) { ++*alive_; }
  counted(const counted& other) : alive_(other.alive_) { ++*alive_; }
  ~counted() { --*alive_; }

private:
  int* alive_;
};

struct throws_on_destruction {
  bool armed = true;
  throws_on_destruction() = default;
  throws_on_destruction(throws_on_destruction&& other) noexcept : armed(std::exchange(other.armed, false)) {}
  ~throws_on_destruction() noexcept(false) {
    if (armed)
      throw std::runtime_error("destructor");
  }
};
} // namespace

TEST_CASE("a task gives its value to whoever waits for it") {
  simulated_host sim;
  auto one = sim.background.spawn([] { return 1; });
  CHECK_FALSE(one.is_ready());
  CHECK(to_string(one.id()) == "s1.t1");
  auto sum = sim.background.spawn([&]() -> async<int> { co_return co_await one + 1; });
  sim.run();
  REQUIRE(sum.is_ready());
  CHECK(sum.take() == 2);
  CHECK(sim.owner.unsettled == 0);
}

TEST_CASE("a ready task is settled from the start") {
  auto text = task<std::string>::ready("here");
  REQUIRE(text.is_ready());
  CHECK(text.take() == "here");
  CHECK_FALSE(text.error());
}

TEST_CASE("a task knows where it was spawned, and its label") {
  simulated_host sim;
  auto t = sim.background.spawn_labeled("reader", [] {});
  CHECK(std::string{t.spawn_location().file_name()}.ends_with("task_test.cpp"));
  CHECK(t.label().view() == "reader");
  sim.run();
}

TEST_CASE("an exception reaches the waiter, the owner, and on request the log") {
  simulated_host sim;
  std::string seen;
  auto bad = sim.background.spawn([]() -> int { throw std::runtime_error("broken"); });
  auto waiter = sim.background.spawn([&]() -> async<void> {
    try {
      co_await bad;
    } catch (const std::runtime_error& error) {
      seen = error.what();
    }
  });
  auto logged = sim.background.spawn([] { throw std::runtime_error("logged"); });
  logged.detach_and_log_err();
  sim.run();
  CHECK(seen == "broken");
  CHECK(waiter.state() == task_state::done_ok);
  CHECK(bad.peek().exception() != nullptr);
  REQUIRE(sim.log.size() == 1);
  CHECK(sim.log[0].find("logged") != std::string::npos);
  CHECK(sim.log[0].find("task_test.cpp") != std::string::npos);
}

TEST_CASE("fallible() turns every end into a value") {
  simulated_host sim;
  auto bad = sim.background.spawn([]() -> int { throw std::runtime_error("broken"); });
  auto waiter =
      sim.background.spawn([&]() -> async<bool> { co_return (co_await bad.fallible()).exception() != nullptr; });
  sim.run();
  CHECK(waiter.take());
}

TEST_CASE("sleep_for takes virtual time, in order of the due times") {
  simulated_host sim;
  std::vector<int> order;
  auto begin = sim.engine.now();
  for (int i : {3, 1, 2})
    sim.background
        .spawn([&order, i]() -> async<void> {
          co_await sleep_for(std::chrono::seconds(i));
          order.push_back(i);
        })
        .detach();
  sim.run();
  CHECK(order.empty());
  sim.run_for(10s);
  CHECK(order == std::vector{1, 2, 3});
  CHECK(sim.engine.now() - begin == 10s);
}

TEST_CASE("an inner coroutine runs in the same task, and its exception passes through") {
  simulated_host sim;
  struct inner {
    static async<int> twice(int x) {
      co_await yield();
      if (x < 0)
        throw std::invalid_argument("negative");
      co_return 2 * x;
    }
  };
  auto good = sim.background.spawn([]() -> async<int> { co_return co_await inner::twice(4); });
  auto bad = sim.background.spawn([]() -> async<int> { co_return co_await inner::twice(-1); });
  sim.run();
  CHECK(good.take() == 8);
  CHECK_THROWS_AS(bad.take(), std::invalid_argument);
}

TEST_CASE("a queued task that is cancelled settles at once and never runs") {
  simulated_host sim;
  bool ran = false;
  int alive = 0;
  auto t = sim.background.spawn([&ran, held = counted{alive}] { ran = true; });
  CHECK(alive == 1);
  t.cancel();
  CHECK(t.state() == task_state::done_cancelled);
  CHECK(t.error() == errc::task_cancelled);
  CHECK(alive == 0);
  sim.run();
  CHECK_FALSE(ran);
  CHECK(sim.owner.unsettled == 0);
}

TEST_CASE("dropping the handle cancels a scoped task, but not a wait_until task") {
  simulated_host sim;
  bool scoped_ran = false, kept_ran = false;
  {
    auto t = sim.background.spawn([&] { scoped_ran = true; });
  }
  {
    auto t = sim.background.spawn([&] { kept_ran = true; }, {.kind = task_kind::wait_until});
  }
  sim.run();
  CHECK_FALSE(scoped_ran);
  CHECK(kept_ran);
}

TEST_CASE("cancellation resumes a suspended task with task_cancelled, and withdraws its timer") {
  simulated_host sim;
  close_cause seen = close_cause::none;
  auto t = sim.background.spawn([&]() -> async<void> {
    try {
      co_await sleep_for(1h);
    } catch (const task_cancelled& cancelled) {
      seen = cancelled.cause();
      throw;
    }
  });
  sim.run();
  CHECK(t.cell()->waiting().kind == wait_kind::timer);
  t.cancel(close_cause::deadline_exceeded);
  sim.run();
  CHECK(seen == close_cause::deadline_exceeded);
  CHECK(t.state() == task_state::done_cancelled);
  CHECK_FALSE(sim.engine.advance_to_next_timer());
}

TEST_CASE("a running task sees cancellation through its stop token and its context") {
  simulated_host sim;
  bool stopped_before = true, stopped_after = false, context_after = false;
  task<void> self;
  self = sim.background.spawn([&](task_context& context) {
    auto token = context.stop_token();
    stopped_before = token.stop_requested();
    self.cancel();
    stopped_after = token.stop_requested();
    context_after = context.cancelled();
  });
  sim.run();
  CHECK_FALSE(stopped_before);
  CHECK(stopped_after);
  CHECK(context_after);
  CHECK(self.state() == task_state::done_ok);
}

TEST_CASE("a wait_until task is shielded from cancellation until it is forced") {
  simulated_host sim;
  auto t = sim.background.spawn(
      []() -> async<int> {
        co_await sleep_for(1s);
        co_return 7;
      },
      {.kind = task_kind::wait_until});
  auto forced = sim.background.spawn([]() -> async<void> { co_await sleep_for(1h); }, {.kind = task_kind::wait_until});
  sim.run();
  t.cancel();
  forced.cell()->request_cancel(close_cause::cancelled, false);
  sim.run_for(2s);
  CHECK(t.take() == 7);
  CHECK_FALSE(forced.is_ready());
  forced.cell()->request_cancel(close_cause::cancelled, true);
  sim.run();
  CHECK(forced.state() == task_state::done_cancelled);
}

TEST_CASE("an abandoned task settles at once; a suspended one is destroyed, a late result is counted and dropped") {
  simulated_host sim;
  int alive = 0;
  auto suspended = sim.background.spawn([held = counted{alive}]() -> async<void> { co_await sleep_for(1h); });
  task<int> running;
  running = sim.background.spawn([&] {
    running.cell()->abandon();
    return 5;
  });
  sim.run();
  CHECK(running.state() == task_state::abandoned);
  CHECK(running.error() == errc::task_abandoned);
  CHECK(sim.owner.stale == 1);
  CHECK(alive == 1);
  suspended.cell()->abandon();
  CHECK(suspended.state() == task_state::abandoned);
  CHECK(alive == 0);
  CHECK(sim.owner.stale == 1);
  CHECK(sim.owner.references == 0);
  CHECK_FALSE(sim.engine.advance_to_next_timer());
}

TEST_CASE(
    "a task abandoned in an awaitable of another library goes with its last reference, and lets go of its owner") {
  simulated_host sim;
  int alive = 0;
  auto waiting = sim.background.spawn([held = counted{alive}]() -> async<void> { co_await std::suspend_always{}; });
  sim.run();
  waiting.cell()->abandon();
  { auto gone = std::move(waiting); }
  CHECK(alive == 0);
  CHECK(sim.owner.references == 0);
  CHECK(sim.owner.stale == 0);
  // Abandoned in its step, it comes back from that: its owner has to hear of it.
  std::optional<task<void>> stepping;
  stepping = sim.background.spawn([&, held = counted{alive}]() -> async<void> {
    stepping->cell()->abandon();
    stepping.reset();
    co_await std::suspend_always{};
  });
  sim.run();
  CHECK(alive == 0);
  CHECK(sim.owner.references == 0);
  CHECK(sim.owner.stale == 1);
}

TEST_CASE("a destructor that throws makes the task fail instead of ending the program") {
  simulated_host sim;
  auto t = sim.background.spawn([bomb = throws_on_destruction{}] {});
  sim.run();
  REQUIRE(t.state() == task_state::done_error);
  CHECK(describe(t.peek().exception()) == "destructor");
}

TEST_CASE("a refused task shows it at once and never runs") {
  simulated_host sim;
  sim.owner.is_closed = true;
  bool ran = false;
  auto t = sim.background.spawn([&] { ran = true; });
  CHECK(t.state() == task_state::rejected);
  CHECK(t.error() == errc::session_closed);
  auto waiter = task<int>::ready(1);
  CHECK_THROWS_AS(t.take(), task_error);
  sim.run();
  CHECK_FALSE(ran);
}

TEST_CASE("a task that is spawned by a task knows its parent") {
  simulated_host sim;
  task_id parent;
  auto outer = sim.background.spawn([&] {
    auto inner = sim.background.spawn([] {});
    parent = inner.cell()->parent;
    inner.detach();
  });
  sim.run();
  CHECK(parent == outer.id());
}
