// When children are started again, who goes with them, and when it is enough.
#include "sessions/supervision.hpp"
#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;
using numbers = std::vector<std::size_t>;

namespace {
const platform::time_point start{};

restart_policy policy(supervision_strategy strategy, std::initializer_list<restart> children) {
  restart_policy made{{.strategy = strategy}};
  for (auto when : children)
    made.add(when);
  return made;
}
} // namespace

TEST_SUITE("supervision") {
  TEST_CASE("restarts count within a sliding window only") {
    restart_window window{2, 5s};
    CHECK(window.admit(start));
    CHECK(window.admit(start + 1s));
    CHECK_FALSE(window.admit(start + 2s));
    CHECK(window.admit(start + 5s));
    CHECK(window.count(start + 5s) == 2);
    CHECK_FALSE(window.admit(start + 5500ms));
    CHECK(window.admit(start + 6s));
  }

  TEST_CASE("no restart at all is allowed if the maximum is zero") {
    restart_window window{0, 5s};
    CHECK_FALSE(window.admit(start));
  }

  TEST_CASE("the backoff grows by its factor up to its maximum, and jitters around that") {
    backoff_options options{.initial = 10ms, .max = 100ms, .factor = 2.0, .jitter = 0.5};
    CHECK(backoff_delay(options, 1, 0.5) == 10ms);
    CHECK(backoff_delay(options, 2, 0.5) == 20ms);
    CHECK(backoff_delay(options, 4, 0.5) == 80ms);
    CHECK(backoff_delay(options, 5, 0.5) == 100ms);
    CHECK(backoff_delay(options, 1'000'000, 0.5) == 100ms);
    CHECK(backoff_delay(options, 1, 0.0) == 5ms);
    CHECK(backoff_delay(options, 1, 1.0) == 15ms);
    CHECK(backoff_delay(options, 9, 1.0) == 100ms);
  }

  TEST_CASE("permanent children always come back, transient ones after a failure, temporary ones never") {
    auto children =
        policy(supervision_strategy::one_for_one, {restart::permanent, restart::transient, restart::temporary});
    CHECK(children.ended(0, false, start, 0.5).to_start == numbers{0});
    CHECK(children.ended(1, false, start, 0.5).action == restart_decision::none);
    children.started(1);
    CHECK(children.ended(1, true, start, 0.5).to_start == numbers{1});
    CHECK(children.ended(2, true, start, 0.5).action == restart_decision::none);
  }

  TEST_CASE("one_for_one leaves the siblings alone") {
    auto children = policy(supervision_strategy::one_for_one, {restart::permanent, restart::permanent});
    auto decision = children.ended(0, true, start, 0.5);
    CHECK(decision.action == restart_decision::restart_children);
    CHECK(decision.to_stop == numbers{});
    CHECK(decision.to_start == numbers{0});
    CHECK(decision.delay == 10ms);
  }

  TEST_CASE("one_for_all stops the others in reverse order, and starts all in order") {
    auto children = policy(supervision_strategy::one_for_all,
                           {restart::permanent, restart::permanent, restart::temporary, restart::permanent});
    auto decision = children.ended(1, true, start, 0.5);
    CHECK(decision.to_stop == numbers{3, 2, 0});
    CHECK(decision.to_start == numbers{0, 1, 3});
  }

  TEST_CASE("rest_for_one takes those that were started later") {
    auto children =
        policy(supervision_strategy::rest_for_one, {restart::permanent, restart::permanent, restart::permanent});
    auto decision = children.ended(1, true, start, 0.5);
    CHECK(decision.to_stop == numbers{2});
    CHECK(decision.to_start == numbers{1, 2});
  }

  TEST_CASE("a child that has ended for good is not started with its siblings") {
    auto children = policy(supervision_strategy::one_for_all, {restart::transient, restart::permanent});
    CHECK(children.ended(0, false, start, 0.5).action == restart_decision::none);
    auto decision = children.ended(1, true, start, 0.5);
    CHECK(decision.to_stop == numbers{});
    CHECK(decision.to_start == numbers{1});
  }

  TEST_CASE("one restart too many within the window escalates") {
    auto children = policy(supervision_strategy::one_for_one, {restart::permanent});
    for (int i = 0; i < 3; ++i) {
      CHECK(children.ended(0, true, start, 0.5).action == restart_decision::restart_children);
      children.started(0);
    }
    CHECK(children.ended(0, true, start, 0.5).action == restart_decision::escalate);
  }

  TEST_CASE("restarts that are far apart never escalate, and their backoff starts anew") {
    auto children = policy(supervision_strategy::one_for_one, {restart::permanent});
    for (int i = 0; i < 100; ++i) {
      auto decision = children.ended(0, true, start + i * 6s, 0.5);
      CHECK(decision.action == restart_decision::restart_children);
      CHECK(decision.delay == 10ms);
      children.started(0);
    }
  }
}
