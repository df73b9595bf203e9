// What sessions promise of the children that they start again, as tests over a backend (see session_contract.hpp);
// TROUPE_SUPERVISION_CONTRACT(backend) instantiates them.
#pragma once
#include "sessions/system.hpp"
#include <atomic>
#include <caf/all.hpp>
#include <chrono>
#include <doctest/doctest.h>
#include <memory>
#include <stdexcept>
#include <string>

namespace troupe::test {
using namespace std::chrono_literals;

/// What a test sees of an actor and its successors.
struct actor_history {
  std::atomic<int> starts = 0;
  std::atomic<int> ends = 0;
};

/// Crashes when it is told to, with a string.
class fragile_actor final : public caf::event_based_actor {
public:
  fragile_actor(caf::actor_config& config, std::shared_ptr<actor_history> history)
      : event_based_actor(config), history_(std::move(history)) {
    ++history_->starts;
  }
  caf::behavior make_behavior() override {
    return {[this](const std::string&) { quit(caf::sec::runtime_error); }};
  }
  void on_exit() override { ++history_->ends; }

private:
  std::shared_ptr<actor_history> history_;
};

/// A supervised actor: its spec, its history, and a way to hurt it.
class fragile_child {
public:
  child_spec spec(std::string name, restart when = restart::permanent) {
    return {std::move(name), when, [this](caf::actor_system& sys) {
              std::lock_guard guard{mutex_}; // Whoever sees the start means this one when it says crash.
              return now_ = sys.spawn<fragile_actor>(history);
            }};
  }
  void crash() {
    std::lock_guard guard{mutex_};
    caf::anon_send(now_, std::string{"crashed as told"});
  }
  void end() {
    std::lock_guard guard{mutex_};
    caf::anon_send_exit(now_, caf::exit_reason::user_shutdown);
  }
  ~fragile_child() { now_ = nullptr; }

  std::shared_ptr<actor_history> history = std::make_shared<actor_history>();

private:
  std::mutex mutex_;
  caf::actor now_; // guarded by mutex_
};

/// Lets time pass, on the system's clock, until something holds; at most a few seconds.
template <class Backend, class F>
bool eventually(Backend& backend, F&& holds) {
  for (int i = 0; i < 5000 && !holds(); ++i)
    static_cast<void>(backend.sys().block_on(backend.sys().background().timer(1ms)));
  return holds();
}

inline constexpr backoff_options short_backoff{.initial = 1ms, .max = 4ms, .factor = 2.0, .jitter = 0.2};

TEST_CASE_TEMPLATE_DEFINE("a supervised actor that crashes is started again, and ends with its session", Backend,
                          supervision_restarts) {
  Backend backend;
  auto s = backend.sys().open_session();
  REQUIRE(!s.set_supervision({.backoff = short_backoff}));
  fragile_child child;
  REQUIRE(!s.supervise(child.spec("cache")));
  CHECK(s.set_supervision({}) == errc::invalid_argument);
  CHECK(child.history->starts == 1);
  for (int crashes = 1; crashes <= 3; ++crashes) {
    child.crash();
    REQUIRE(eventually(backend, [&] { return child.history->starts == crashes + 1; }));
  }
  CHECK(s.is_open());
  auto ended = backend.sys().block_on(s.close());
  REQUIRE(ended.has_value());
  CHECK(ended->is_clean());
  CHECK(child.history->ends == 4);
}

TEST_CASE_TEMPLATE_DEFINE("too many restarts within the window escalate to the session above", Backend,
                          supervision_escalates) {
  Backend backend;
  auto above = backend.sys().open_session({.name = "above"});
  auto s = above.open_session({.name = "below"});
  REQUIRE(!s.set_supervision({.max_restarts = 2, .window = 1h, .backoff = short_backoff}));
  std::atomic<int> starts = 0;
  REQUIRE(!s.supervise({"poller", restart::permanent, [&]() -> async<void> {
                          ++starts;
                          co_await sleep_for(1ms);
                          throw std::runtime_error{"no answer"};
                        }}));
  auto ended = backend.sys().block_on(above.closed());
  REQUIRE(ended.has_value());
  CHECK(starts == 3);
  CHECK(s.cause() == close_cause::escalated);
  CHECK(s.outcome() == close_outcome::failed);
  CHECK(above.cause() == close_cause::escalated);
  CHECK(ended->first_error.find("'below' escalated: child 'poller'") != std::string::npos);
  CHECK(ended->first_error.find("no answer") != std::string::npos);
  CHECK(ended->first_error.find("after 2 restarts within ") != std::string::npos);
  CHECK(s.report().counters.failed == 0);
}

TEST_CASE_TEMPLATE_DEFINE("a transient child comes back after a failure, not after its end; a temporary one never",
                          Backend, supervision_kinds) {
  Backend backend;
  auto s = backend.sys().open_session();
  REQUIRE(!s.set_supervision({.backoff = short_backoff}));
  std::atomic<int> transient = 0, temporary = 0;
  REQUIRE(!s.supervise({"transient", restart::transient, [&]() -> async<void> {
                          if (++transient == 1)
                            throw std::runtime_error{"first try"};
                          co_return;
                        }}));
  REQUIRE(!s.supervise({"temporary", restart::temporary, [&]() -> async<void> {
                          ++temporary;
                          throw std::runtime_error{"only try"};
                          co_return;
                        }}));
  REQUIRE(eventually(backend, [&] { return transient == 2 && temporary == 1; }));
  static_cast<void>(backend.sys().block_on(backend.sys().background().timer(20ms)));
  CHECK(transient == 2);
  CHECK(temporary == 1);
  CHECK(s.is_open());
  auto ended = backend.sys().block_on(s.close());
  REQUIRE(ended.has_value());
  CHECK(ended->is_clean());
}

TEST_CASE_TEMPLATE_DEFINE("one_for_all restarts the siblings of a child that crashes", Backend, supervision_all) {
  Backend backend;
  auto s = backend.sys().open_session();
  REQUIRE(!s.set_supervision({.strategy = supervision_strategy::one_for_all, .backoff = short_backoff}));
  fragile_child first, second;
  std::atomic<int> third = 0;
  REQUIRE(!s.supervise(first.spec("first")));
  REQUIRE(!s.supervise(second.spec("second")));
  REQUIRE(!s.supervise({"third", restart::permanent, [&]() -> async<void> {
                          ++third;
                          co_await sleep_for(1h);
                        }}));
  REQUIRE(eventually(backend, [&] { return third == 1; }));
  second.crash();
  REQUIRE(eventually(backend, [&] { return first.history->starts == 2 && second.history->starts == 2 && third == 2; }));
  CHECK(first.history->ends == 1);
  auto ended = backend.sys().block_on(s.close());
  REQUIRE(ended.has_value());
  CHECK(ended->is_clean());
  CHECK(first.history->ends == 2);
  CHECK(second.history->ends == 2);
}

TEST_CASE_TEMPLATE_DEFINE("a session closes while a child waits for its restart", Backend, supervision_closes) {
  Backend backend;
  auto s = backend.sys().open_session();
  REQUIRE(!s.set_supervision({.backoff = {.initial = 1h, .max = 1h}}));
  fragile_child child;
  REQUIRE(!s.supervise(child.spec("cache", restart::transient)));
  SUBCASE("after a crash") { child.crash(); }
  SUBCASE("after its end") { child.end(); }
  REQUIRE(eventually(backend, [&] { return child.history->ends == 1; }));
  auto ended = backend.sys().block_on(s.close());
  REQUIRE(ended.has_value());
  CHECK(ended->is_clean());
  CHECK(child.history->starts == 1);
}

TEST_CASE_TEMPLATE_DEFINE("what a start throws comes out of supervise; later it counts as a failure", Backend,
                          supervision_throwing_start) {
  Backend backend;
  auto s = backend.sys().open_session();
  REQUIRE(!s.set_supervision({.max_restarts = 5, .window = 1h, .backoff = short_backoff}));
  CHECK_THROWS_AS(static_cast<void>(s.supervise(
                      {"never", restart::permanent,
                       [](caf::actor_system&) -> caf::actor { throw std::runtime_error{"no such file"}; }})),
                  std::runtime_error);
  fragile_child child;
  auto spec = child.spec("cache");
  std::atomic<int> calls = 0;
  auto made = std::get<0>(spec.start);
  spec.start = [&calls, made](caf::actor_system& sys) {
    if (++calls == 2)
      throw std::runtime_error{"not now"};
    return made(sys);
  };
  REQUIRE(!s.supervise(spec));
  child.crash();
  REQUIRE(eventually(backend, [&] { return child.history->starts == 2; }));
  CHECK(calls == 3);
  CHECK(s.is_open());
  auto ended = backend.sys().block_on(s.close());
  REQUIRE(ended.has_value());
  CHECK(ended->is_clean());
  CHECK(s.supervise(child.spec("late")) == errc::session_closed);
}

} // namespace troupe::test

/// Instantiates the contract for a backend, once per file.
#define TROUPE_SUPERVISION_CONTRACT(backend)                                                                           \
  TEST_CASE_TEMPLATE_INVOKE(supervision_restarts, backend);                                                            \
  TEST_CASE_TEMPLATE_INVOKE(supervision_escalates, backend);                                                           \
  TEST_CASE_TEMPLATE_INVOKE(supervision_kinds, backend);                                                               \
  TEST_CASE_TEMPLATE_INVOKE(supervision_all, backend);                                                                 \
  TEST_CASE_TEMPLATE_INVOKE(supervision_closes, backend);                                                              \
  TEST_CASE_TEMPLATE_INVOKE(supervision_throwing_start, backend)
