// Executors: bounds, waiting, thread-bound work, and the actor that stands for one.
#include "tests/support/simulated_host.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

TEST_CASE("a bounded queue rejects what is over its bound, and takes more once there is room") {
  simulated_host sim;
  background_executor bounded{sim.environment, 2};
  auto a = bounded.spawn([] {});
  auto b = bounded.spawn([] {});
  auto c = bounded.spawn([] {});
  CHECK(bounded.queued() == 2);
  CHECK(c.state() == task_state::rejected);
  CHECK(c.error() == errc::queue_full);
  b.cancel();
  CHECK(bounded.queued() == 1);
  auto d = bounded.spawn([] {});
  CHECK_FALSE(d.error());
  sim.run();
  CHECK(d.state() == task_state::done_ok);
  CHECK(bounded.queued() == 0);
}

TEST_CASE("block_on runs the program until the task is done") {
  simulated_host sim;
  auto result = sim.background.block_on(sim.background.spawn([]() -> async<int> {
    co_await sleep_for(1h);
    co_return 3;
  }));
  REQUIRE(result);
  CHECK(*result == 3);
}

TEST_CASE("block_on with a timeout hands the task back, unharmed") {
  simulated_host sim;
  auto slow = sim.background.spawn([]() -> async<int> {
    co_await sleep_for(10s);
    co_return 3;
  });
  auto first = sim.background.block_on(std::move(slow), 1s);
  REQUIRE(std::holds_alternative<task<int>>(first));
  auto again = sim.background.block_on(std::move(std::get<task<int>>(first)), 1h);
  REQUIRE(std::holds_alternative<outcome<int>>(again));
  CHECK(*std::get<outcome<int>>(again) == 3);
}

TEST_CASE("waiting for what can never happen is an error, not a hang") {
  simulated_host sim;
  auto stuck = sim.background.spawn([&]() -> async<void> {
    auto never = sim.background.spawn([]() -> async<void> { co_await std::suspend_always{}; });
    co_await never;
  });
  auto result = sim.background.block_on(std::move(stuck));
  CHECK(result.error() == errc::would_deadlock);
}

TEST_CASE("a foreground task may block on another foreground task, but not on itself") {
  simulated_host sim;
  std::error_code self_error;
  int inner = 0;
  task<void> outer;
  outer = sim.foreground.spawn([&] {
    inner = *sim.foreground.block_on(sim.foreground.spawn([] { return 4; }));
    task<void> me{outer.cell()};
    outer.cell()->add_ref();
    self_error = sim.foreground.block_on(std::move(me)).error();
  });
  sim.run();
  CHECK(inner == 4);
  CHECK(self_error == errc::would_deadlock);
}

TEST_CASE("foreground tasks run in order on the main thread") {
  simulated_host sim;
  std::vector<int> order;
  for (int i = 0; i < 5; ++i)
    sim.foreground
        .spawn([&, i] {
          CHECK(sim.engine.is_main_thread());
          order.push_back(i);
        })
        .detach();
  sim.background.spawn([&] { CHECK_FALSE(sim.engine.is_main_thread()); }).detach();
  sim.run();
  CHECK(order == std::vector{0, 1, 2, 3, 4});
}

namespace {
/// An awaitable that knows nothing of Troupe and hands out the raw coroutine.
struct escape {
  std::coroutine_handle<>* out;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> at) const noexcept { *out = at; }
  void await_resume() const noexcept {}
};
} // namespace

TEST_CASE("a foreground task that is resumed elsewhere is caught with its spawn site") {
  simulated_host sim;
  std::coroutine_handle<> escaped;
  auto t = sim.foreground.spawn(
      [&]() -> async<void> {
        co_await escape{&escaped};
        co_await yield();
      },
      {.name = "draw"});
  sim.run();
  REQUIRE(escaped);
  auto culprit = sim.background.spawn([&] { escaped.resume(); });
  sim.run();
  REQUIRE_FALSE(sim.bugs.empty());
  CHECK(sim.bugs[0].find("'draw'") != std::string::npos);
  CHECK(sim.bugs[0].find("executor_test.cpp") != std::string::npos);
  CHECK(sim.bugs[0].find("wrong thread") != std::string::npos);
}

TEST_CASE("a foreground task that is destroyed elsewhere is caught with its spawn site") {
  simulated_host sim;
  auto t = sim.foreground.spawn([]() -> async<void> { co_await sleep_for(1h); }, {.name = "draw"});
  sim.run();
  CHECK(sim.bugs.empty());
  auto culprit = sim.background.spawn([&] {
    t.cell()->add_ref();
    t.cell()->drop();
  });
  sim.run();
  REQUIRE_FALSE(sim.bugs.empty());
  CHECK(sim.bugs[0].find("'draw'") != std::string::npos);
  CHECK(sim.bugs[0].find("executor_test.cpp") != std::string::npos);
  CHECK(sim.bugs[0].find("destroyed on the wrong thread") != std::string::npos);
}

TEST_CASE("a timer elapses, or is cancelled, and one can tell") {
  simulated_host sim;
  auto first = sim.background.timer(5s);
  auto second = sim.background.timer(5s);
  sim.run();
  second.cancel();
  sim.run_for(5s);
  REQUIRE(first.is_ready());
  CHECK(first.peek()->at >= first.peek()->due);
  CHECK(second.peek().is_cancelled());
}

TEST_CASE("an executor is an actor: it takes jobs, answers, and can be monitored") {
  simulated_host sim;
  int ran = 0;
  bool answered = false;
  caf::error failure, down;
  sim.host.caf().spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->set_down_handler([&](caf::down_msg& message) { down = message.reason; });
    self->monitor(sim.background.address());
    self->send(sim.background.address(), job{[&] { ++ran; }, "plain"});
    self->request(sim.background.address(), caf::infinite, job{[&] { ++ran; }}).then([&, self] {
      answered = true;
      self->request(sim.background.address(), caf::infinite, job{[] { throw std::runtime_error("broken"); }})
          .then([] {},
                [&, self](caf::error& error) {
                  failure = error;
                  self->send_exit(sim.background.address(), caf::exit_reason::user_shutdown);
                });
    });
    return {[](int) {}};
  });
  sim.run();
  CHECK(ran == 2);
  CHECK(answered);
  CHECK(failure == caf::sec::runtime_error);
  CHECK(down == caf::exit_reason::user_shutdown);
  CHECK(sim.background.spawn([] {}).error() == errc::executor_down);
}

TEST_CASE("an executor that crashes tells its monitors, and stands under another address from then on") {
  simulated_host sim;
  int ran = 0;
  caf::error down, refusal;
  const auto before = sim.background.address();
  const auto watcher = sim.host.caf().spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->set_down_handler([&, self](caf::down_msg& message) {
      down = message.reason;
      self->request(before, caf::infinite, job{[&] { ++ran; }})
          .then([] {}, [&](caf::error& error) { refusal = error; });
      self->send(sim.background.address(), job{[&] { ++ran; }});
    });
    self->monitor(before);
    return {[](int) {}};
  });
  sim.run();
  sim.background.crash(caf::sec::runtime_error);
  sim.run();
  CHECK(down == caf::sec::runtime_error);
  CHECK(refusal == caf::sec::request_receiver_down);
  CHECK(ran == 1);
  CHECK(sim.background.address() != before);
  auto after = sim.background.spawn([] {});
  sim.run();
  CHECK(after.is_ready());
}

TEST_CASE("a dedicated executor is serial and refuses work once closed") {
  simulated_host sim;
  std::error_code error;
  auto lane = sim.engine.open_lane("disk", error);
  REQUIRE_FALSE(error);
  dedicated_executor disk{sim.environment, "disk", lane};
  std::vector<int> order;
  auto a = disk.spawn([&] { order.push_back(1); });
  auto b = disk.spawn([&] { order.push_back(2); });
  disk.close();
  CHECK(disk.spawn([] {}).error() == errc::executor_down);
  sim.run();
  CHECK(order == std::vector{1, 2});
}
