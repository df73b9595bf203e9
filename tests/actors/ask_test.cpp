// Tasks and plain CAF actors talk both ways.
#include "actors/ask.hpp"
#include "tests/support/simulated_host.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {
caf::behavior adder(caf::event_based_actor*) {
  return {[](int a, int b) { return a + b; },
          [](const std::string&) -> caf::result<int> { return caf::sec::invalid_argument; },
          [](float) -> caf::unit_t { return caf::unit; }};
}
/// Takes requests and never answers.
caf::behavior silent(caf::event_based_actor* self) {
  auto promises = std::make_shared<std::vector<caf::response_promise>>();
  return {[=](int) { promises->push_back(self->make_response_promise()); }};
}
} // namespace

TEST_CASE("a task asks an actor and gets its reply") {
  simulated_host sim;
  auto actor = sim.host.caf().spawn(adder);
  auto t = sim.background.spawn([actor]() -> async<int> {
    auto sum = co_await ask<int>(actor, 1s, 20, 22);
    auto none = co_await ask<void>(actor, 1s, 1.0f);
    co_return none ? *sum : -1;
  });
  sim.run();
  CHECK(t.take() == 42);
  CHECK_FALSE(sim.engine.advance_to_next_timer()); // no timeout is left behind
}

TEST_CASE("an actor's error, a reply of another type, and a dead receiver are errors of the ask") {
  simulated_host sim;
  auto actor = sim.host.caf().spawn(adder);
  caf::error refused, mismatched, dead, nobody;
  auto t = sim.background.spawn([&]() -> async<void> {
    refused = (co_await ask<int>(actor, 1s, std::string{"x"})).error();
    mismatched = (co_await ask<std::string>(actor, 1s, 1, 2)).error();
    send_urgent_exit(actor, caf::exit_reason::kill);
    co_await sleep_for(1ms);
    dead = (co_await ask<int>(actor, 1s, 1, 2)).error();
    nobody = (co_await ask<int>(caf::actor{}, 1s, 1)).error();
  });
  sim.run_for(1s);
  REQUIRE(t.is_ready());
  CHECK(refused == caf::sec::invalid_argument);
  CHECK(mismatched == caf::sec::unexpected_response);
  CHECK(dead == caf::sec::request_receiver_down);
  CHECK(nobody == caf::sec::request_receiver_down);
}

TEST_CASE("an ask without a reply ends at its timeout and is not pinned by it") {
  simulated_host sim;
  auto actor = sim.host.caf().spawn(silent);
  caf::error error;
  auto begin = sim.engine.now();
  auto t = sim.background.spawn([&]() -> async<platform::duration> {
    error = (co_await ask<int>(actor, 5s, 1)).error();
    co_return sim.engine.now() - begin;
  });
  sim.run();
  REQUIRE_FALSE(t.is_ready());
  auto why = t.cell()->waiting();
  CHECK(why.kind == wait_kind::reply);
  CHECK(why.receiver == actor.id());
  sim.run_for(1min);
  REQUIRE(t.is_ready());
  CHECK(t.take() == 5s);
  CHECK(error == caf::sec::request_timeout);
}

TEST_CASE("cancelling a task that waits for a reply ends the ask and its timer") {
  simulated_host sim;
  auto actor = sim.host.caf().spawn(silent);
  auto t = sim.background.spawn([actor]() -> async<void> { co_await ask<int>(actor, 1h, 1); });
  sim.run();
  t.cancel();
  sim.run();
  CHECK(t.state() == task_state::done_cancelled);
  CHECK_FALSE(sim.engine.advance_to_next_timer());
}

TEST_CASE("an actor spawns work, and the work sends to actors") {
  simulated_host sim;
  int received = 0;
  auto sink = sim.host.caf().spawn(
      [&](caf::event_based_actor*) -> caf::behavior { return {[&](int value) { received = value; }}; });
  sim.host.caf().spawn(
      [&](caf::event_based_actor*) { sim.background.spawn([sink] { caf::anon_send(sink, 9); }).detach(); });
  sim.run();
  CHECK(received == 9);
}

TEST_CASE("CAF's own timeouts and delayed messages run on virtual time") {
  simulated_host sim;
  std::vector<int> seen;
  sim.host.caf().spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->delayed_send(self, 10s, 1);
    return {[&seen, self](int value) {
              seen.push_back(value);
              if (value < 3)
                self->delayed_send(self, 10s, value + 1);
              else
                self->quit();
            },
            caf::after(25s) >> [&seen] { seen.push_back(0); }};
  });
  sim.run_for(15s);
  CHECK(seen == std::vector{1});
  sim.run_for(1min);
  CHECK(seen == std::vector{1, 2, 3});
  CHECK(sim.host.running_actors() == 0);
}
