// Sessions in the loop of a host keep the contract, driven by the system itself or by hand.
#include "actors/ask.hpp"
#include "sessions/guest_system.hpp"
#include "tests/contracts/ownership_contract.hpp"
#include "tests/contracts/session_contract.hpp"
#include "tests/contracts/supervision_contract.hpp"
#include <doctest/doctest.h>

namespace troupe::test {

struct guest_sessions {
  troupe::system& sys() noexcept { return system_; }

private:
  guest_system system_;
};

} // namespace troupe::test

TYPE_TO_STRING(troupe::test::guest_sessions);

namespace troupe::test {

TROUPE_SESSION_CONTRACT(guest_sessions);
TROUPE_OWNERSHIP_CONTRACT(guest_sessions);
TROUPE_SUPERVISION_CONTRACT(guest_sessions);

TEST_CASE("a host that polls by hand runs tasks, actors and timers on its own thread") {
  int asked = 0;
  guest_system sys{{.wake_up = [&] { ++asked; }, .may_block = false}};
  const auto here = std::this_thread::get_id();
  auto s = sys.open_session({.name = "request"});
  int ran_here = 0;
  auto doubler = sys.caf().spawn([&](caf::event_based_actor*) -> caf::behavior {
    return {[&](int n) {
      ran_here += std::this_thread::get_id() == here;
      return 2 * n;
    }};
  });
  auto answer = s.spawn([&, doubler]() -> async<int> {
    co_await sleep_for(2ms);
    auto twice = co_await ask<int>(doubler, 1s, 21);
    ran_here += std::this_thread::get_id() == here;
    co_return twice.value();
  });
  auto closed = s.close();
  auto rounds = 0;
  while (!closed.is_ready() && ++rounds < 10'000) {
    sys.poll(4);
    if (auto due = sys.next_deadline(); due && *due > sys.dispatcher().now())
      std::this_thread::sleep_until(*due);
    else if (!due)
      break;
  }
  REQUIRE(closed.is_ready());
  CHECK(closed.take().is_clean());
  CHECK(answer.is_ready());
  CHECK(ran_here == 2);
  CHECK(asked > 0);
  CHECK(sys.dispatcher().thread_count() == 0);
  CHECK(sys.background().block_on(s.closed()).has_value());
  auto never = sys.root().spawn([]() -> async<void> { co_await sleep_for(1h); });
  CHECK(sys.background().block_on(std::move(never)).error() == platform::dispatch_errc::cannot_block);
}

TEST_CASE("a host that stops its loop early gets a report of what was left") {
  guest_system sys;
  auto s = sys.open_session({.name = "busy", .grace = 5ms, .shutdown_budget = 10ms});
  s.spawn([]() -> async<void> { co_await std::suspend_always{}; }, {.name = "stuck"}).detach();
  sys.poll();
  auto report = sys.shutdown(20ms);
  CHECK(report.outcome == close_outcome::dirty);
  REQUIRE(report.children.size() == 1);
  REQUIRE(report.children[0].survivors.size() == 1);
  CHECK(report.children[0].survivors[0].name == "stuck");
}

} // namespace troupe::test
