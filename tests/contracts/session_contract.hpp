// What sessions promise on every dispatcher, as tests over a backend; TROUPE_SESSION_CONTRACT(backend) instantiates
// them.
//
// A backend is default-constructible and has
//   troupe::system& sys();   a fresh system whose main thread is the caller's
// The tests make progress through block_on and shutdown alone, so virtual time and a single thread will do.
#pragma once
#include "sessions/execution_context.hpp"
#include "tests/contracts/session_support.hpp"
#include <atomic>
#include <stdexcept>

namespace troupe::test {

TEST_CASE_TEMPLATE_DEFINE("a session runs what is spawned in it, and closes clean", Backend, session_runs) {
  Backend backend;
  auto s = backend.sys().open_session({.name = "work"});
  CHECK(s.state() == session_state::open);
  CHECK(s.path() == "root/" + to_string(s.id()) + " 'work'");
  auto sum = s.spawn([] { return 20 + 22; });
  CHECK(sum.session_id() == s.id());
  auto delayed = s.spawn([]() -> async<std::string> {
    co_await sleep_for(1ms);
    co_return "late";
  });
  CHECK(*backend.sys().block_on(std::move(sum)) == 42);
  CHECK(*backend.sys().block_on(std::move(delayed)) == "late");
  auto report = close(backend, s);
  CHECK(report.is_clean());
  CHECK(report.final_state == session_state::closed);
  CHECK(report.cause == close_cause::completed);
  CHECK(report.counters.spawned == 2);
  CHECK(report.counters.ok == 2);
  CHECK(s.state() == session_state::closed);
  CHECK(!backend.sys().root().validate_cleanup());
}

TEST_CASE_TEMPLATE_DEFINE("a closed session refuses work at once", Backend, session_refuses) {
  Backend backend;
  auto s = backend.sys().open_session();
  close(backend, s);
  bool ran = false;
  auto refused = s.spawn([&] { ran = true; });
  CHECK(refused.is_ready());
  CHECK(refused.state() == task_state::rejected);
  CHECK(refused.error() == errc::session_closed);
  CHECK(s.wait_until([] {}).error() == errc::session_closed);
  CHECK(s.daemon([] {}).error() == errc::session_closed);
  CHECK(s.own(backend.sys().caf().template spawn<silent_actor>(), "late") == errc::session_closed);
  bool opened = false;
  CHECK(s.acquire(
            "late",
            [&] {
              opened = true;
              return std::error_code{};
            },
            [] {}) == errc::session_closed);
  CHECK_FALSE(opened);
  auto child = s.open_session({.name = "too late"});
  CHECK(child.error() == errc::session_closed);
  CHECK(child.state() == session_state::closed);
  CHECK(child.spawn([] {}).error() == errc::session_closed);
  CHECK(close(backend, child).is_clean());
  CHECK_FALSE(ran);
}

TEST_CASE_TEMPLATE_DEFINE("an orderly close waits for scoped tasks and cancels daemons", Backend, session_joins) {
  Backend backend;
  shared_log log;
  auto s = backend.sys().open_session();
  auto scoped = s.spawn([&]() -> async<void> {
    co_await sleep_for(2ms);
    log.add("scoped ended");
  });
  scoped.detach();
  auto daemon = s.daemon([&]() -> async<void> {
    for (;;)
      co_await sleep_for(1h);
  });
  auto report = close(backend, s);
  CHECK(log.lines() == std::vector<std::string>{"scoped ended"});
  CHECK(daemon.peek().is_cancelled());
  CHECK(report.is_clean());
  CHECK(report.counters.cancelled == 1);
}

TEST_CASE_TEMPLATE_DEFINE("wait_until work starts at once, delays nobody, and ends before the session does", Backend,
                          session_wait_until) {
  Backend backend;
  shared_log log;
  auto s = backend.sys().open_session({.grace = 10s});
  execution_context context{s};
  auto response = s.spawn([&]() -> async<int> {
    auto refused = context.wait_until([&]() -> async<void> {
      while (current_session().is_open())
        co_await sleep_for(1ms);
      log.add("audited");
      // Still accepted while the session drains.
      auto more = current_session().wait_until([&] { log.add("indexed"); });
      CHECK(!more.error());
      more.detach();
      CHECK(current_session().spawn([] {}).error() == errc::session_closed);
    });
    CHECK(!refused);
    co_return 200;
  });
  CHECK(*backend.sys().block_on(std::move(response)) == 200);
  CHECK(log.lines().empty());
  auto report = close(backend, s);
  CHECK(log.lines() == std::vector<std::string>{"audited", "indexed"});
  CHECK(report.is_clean());
  CHECK(context.wait_until([] {}) == errc::session_closed);
}

TEST_CASE_TEMPLATE_DEFINE("cancelling a session spares its wait_until tasks until grace has passed", Backend,
                          session_shields) {
  Backend backend;
  auto s = backend.sys().open_session({.grace = 200ms});
  auto scoped = s.spawn([]() -> async<void> { co_await sleep_for(1h); });
  auto quick = s.wait_until([]() -> async<void> { co_await sleep_for(1ms); });
  auto slow = s.wait_until([]() -> async<void> { co_await sleep_for(1h); });
  s.cancel();
  auto ended = backend.sys().block_on(s.closed());
  REQUIRE(ended.has_value());
  CHECK(scoped.peek().cause() == close_cause::cancelled);
  CHECK(quick.peek().has_value());
  CHECK(slow.peek().is_cancelled());
  CHECK(ended->is_clean());
  CHECK(ended->cause == close_cause::cancelled);
}

TEST_CASE_TEMPLATE_DEFINE("a task that throws ends its session: the others are cancelled, the error is in the report",
                          Backend, session_fails) {
  Backend backend;
  auto s = backend.sys().open_session({.name = "order"});
  auto waits = s.spawn([]() -> async<void> { co_await sleep_for(1h); });
  auto throws = s.spawn([]() -> int { throw std::runtime_error{"disk full"}; }, {.name = "store"});
  auto ended = backend.sys().block_on(s.closed());
  REQUIRE(ended.has_value());
  CHECK(ended->outcome == close_outcome::failed);
  CHECK(ended->cause == close_cause::task_failed);
  CHECK(ended->first_error.find("'store'") != std::string::npos);
  CHECK(ended->first_error.find("session_contract.hpp:") != std::string::npos);
  CHECK(ended->first_error.find("disk full") != std::string::npos);
  CHECK(ended->survivors.empty());
  CHECK(waits.peek().cause() == close_cause::task_failed);
  CHECK(backend.sys().root().is_open());
  CHECK(backend.sys().root().report().children_failed == 1);
}

TEST_CASE_TEMPLATE_DEFINE("what a closure throws in its destructor is a failure of its task", Backend,
                          session_throwing_destructor) {
  Backend backend;
  struct bomb {
    bool armed = true;
    bomb() = default;
    bomb(bomb&& other) noexcept : armed(std::exchange(other.armed, false)) {}
    ~bomb() noexcept(false) {
      if (armed)
        throw std::runtime_error{"cannot flush"};
    }
    void operator()() const {}
  };
  auto s = backend.sys().open_session();
  auto task = s.spawn(bomb{});
  auto ended = backend.sys().block_on(s.closed());
  REQUIRE(ended.has_value());
  CHECK(ended->outcome == close_outcome::failed);
  CHECK(ended->first_error.find("cannot flush") != std::string::npos);
}

TEST_CASE_TEMPLATE_DEFINE("sessions close after the ones below them, the last opened first", Backend, session_nests) {
  Backend backend;
  shared_log log;
  auto outer = backend.sys().open_session({.name = "outer"});
  auto note = [&](const char* what) { return [&log, what] { log.add(what); }; };
  REQUIRE(!outer.acquire("outer", {}, note("outer closed")));
  auto first = outer.open_session({.name = "first"});
  REQUIRE(!first.acquire("first", {}, note("first closed")));
  auto second = outer.open_session({.name = "second"});
  REQUIRE(!second.acquire("second", {}, note("second closed")));
  auto inner = second.open_session({.name = "inner"});
  REQUIRE(!inner.acquire("inner", {}, note("inner closed")));
  CHECK(inner.path() == "root/outer/second/" + to_string(inner.id()) + " 'inner'");
  CHECK(inner.parent() == second);
  CHECK(outer.children().size() == 2);
  std::string why;
  CHECK(outer.validate_cleanup(&why) == errc::not_clean);
  CHECK(why.find("2 open child sessions") != std::string::npos);
  auto report = close(backend, outer);
  CHECK(log.lines() == std::vector<std::string>{"inner closed", "second closed", "first closed", "outer closed"});
  CHECK(report.is_clean());
  CHECK(report.children_closed == 2);
  CHECK(inner.cause() == close_cause::parent_closed);
  CHECK(inner.state() == session_state::closed);
}

TEST_CASE_TEMPLATE_DEFINE("cancellation reaches every session below, with its cause", Backend, session_cancels_tree) {
  Backend backend;
  auto outer = backend.sys().open_session();
  auto inner = outer.open_session().open_session();
  auto task = inner.spawn([]() -> async<void> { co_await sleep_for(1h); });
  outer.cancel();
  REQUIRE(backend.sys().block_on(outer.closed()).has_value());
  CHECK(task.peek().cause() == close_cause::cancelled);
  CHECK(inner.cause() == close_cause::cancelled);
}

TEST_CASE_TEMPLATE_DEFINE("a deadline closes a session and those below, who cannot exceed it", Backend,
                          session_deadline) {
  Backend backend;
  auto outer = backend.sys().open_session({.deadline = 200ms});
  auto inner = outer.open_session({.deadline = 1h});
  CHECK(inner.deadline() == outer.deadline());
  auto tight = outer.open_session({.deadline = 20ms});
  CHECK(*tight.deadline() < *outer.deadline());
  auto task = inner.spawn([]() -> async<void> { co_await sleep_for(1h); });
  auto ended = backend.sys().block_on(outer.closed());
  REQUIRE(ended.has_value());
  CHECK(ended->cause == close_cause::deadline_exceeded);
  CHECK(task.peek().cause() == close_cause::deadline_exceeded);
  CHECK(inner.cause() == close_cause::deadline_exceeded);
  CHECK(tight.cause() == close_cause::deadline_exceeded);
  CHECK(ended->is_clean());
}

TEST_CASE_TEMPLATE_DEFINE("every caller of close gets the report, whenever it asks, and need not wait", Backend,
                          session_close_again) {
  Backend backend;
  auto s = backend.sys().open_session();
  s.spawn([]() -> async<void> { co_await sleep_for(2ms); }).detach();
  { auto dropped = s.close(); }
  auto first = s.close(), second = s.closed();
  REQUIRE(backend.sys().block_on(std::move(first)).has_value());
  auto ended = backend.sys().block_on(std::move(second));
  REQUIRE(ended.has_value());
  CHECK(ended->counters.ok == 1);
  CHECK(close(backend, s).counters.ok == 1);
}

TEST_CASE_TEMPLATE_DEFINE("the current session is the running task's", Backend, session_current) {
  Backend backend;
  CHECK_FALSE(current_session().valid());
  auto outer = backend.sys().open_session(), inner = outer.open_session();
  auto seen = outer.spawn([inner]() -> async<std::vector<session>> {
    std::vector<session> seen{current_session()};
    auto child = inner.spawn([] { return current_session(); });
    seen.push_back(co_await child);
    seen.push_back(current_session());
    co_return seen;
  });
  auto ended = backend.sys().block_on(std::move(seen));
  REQUIRE(ended.has_value());
  CHECK(*ended == std::vector<session>{outer, inner, outer});
}

TEST_CASE_TEMPLATE_DEFINE("an executor spawns into the running task's session", Backend, session_executor_spawn) {
  Backend backend;
  auto s = backend.sys().open_session();
  auto& background = backend.sys().background();
  auto inside = s.spawn([&]() -> async<session_id> {
    auto task = background.spawn([] { return current_session().id(); });
    co_return co_await task;
  });
  CHECK(*backend.sys().block_on(std::move(inside)) == s.id());
  auto outside = background.spawn([] { return current_session().id(); });
  CHECK(*backend.sys().block_on(std::move(outside)) == backend.sys().root().id());
}

TEST_CASE_TEMPLATE_DEFINE("shutdown closes everything in order and reports", Backend, session_shutdown) {
  Backend backend;
  shared_log log;
  auto& sys = backend.sys();
  auto s = sys.open_session({.name = "server"});
  REQUIRE(!s.acquire("port", {}, [&] { log.add("port closed"); }));
  s.daemon([]() -> async<void> { co_await sleep_for(1h); }).detach();
  s.spawn([&]() -> async<void> {
     co_await sleep_for(2ms);
     log.add("request served");
   }).detach();
  auto report = sys.shutdown(10s);
  CHECK(log.lines() == std::vector<std::string>{"request served", "port closed"});
  CHECK(report.is_clean());
  CHECK(report.path == "root");
  CHECK(report.cause == close_cause::system_stopping);
  CHECK(s.state() == session_state::closed);
  CHECK(sys.open_session().error() == errc::session_closed);
  CHECK(sys.background().spawn([] {}).error() == errc::session_closed);
  CHECK(sys.shutdown().is_clean());
}

TEST_CASE_TEMPLATE_DEFINE("many sessions at once each close with what they own", Backend, session_many) {
  Backend backend;
  std::atomic<int> ran = 0;
  std::vector<task<cleanup_report>> closes;
  for (int i = 0; i < 200; ++i) {
    auto s = backend.sys().open_session({.deadline = 1h});
    for (int j = 0; j < 5; ++j)
      s.spawn([&ran]() -> async<void> {
         co_await yield();
         ++ran;
       }).detach();
    closes.push_back(s.close());
  }
  for (auto& close : closes) {
    auto ended = backend.sys().block_on(std::move(close));
    REQUIRE(ended.has_value());
    CHECK(ended->is_clean());
    CHECK(ended->counters.ok == 5);
  }
  CHECK(ran == 1000);
  CHECK(backend.sys().root().report().children_closed == 200);
  CHECK(!backend.sys().root().validate_cleanup());
}

} // namespace troupe::test

/// Instantiates the contract for a backend, once per file.
#define TROUPE_SESSION_CONTRACT(backend)                                                                               \
  TEST_CASE_TEMPLATE_INVOKE(session_runs, backend);                                                                    \
  TEST_CASE_TEMPLATE_INVOKE(session_refuses, backend);                                                                 \
  TEST_CASE_TEMPLATE_INVOKE(session_joins, backend);                                                                   \
  TEST_CASE_TEMPLATE_INVOKE(session_wait_until, backend);                                                              \
  TEST_CASE_TEMPLATE_INVOKE(session_shields, backend);                                                                 \
  TEST_CASE_TEMPLATE_INVOKE(session_fails, backend);                                                                   \
  TEST_CASE_TEMPLATE_INVOKE(session_throwing_destructor, backend);                                                     \
  TEST_CASE_TEMPLATE_INVOKE(session_nests, backend);                                                                   \
  TEST_CASE_TEMPLATE_INVOKE(session_cancels_tree, backend);                                                            \
  TEST_CASE_TEMPLATE_INVOKE(session_deadline, backend);                                                                \
  TEST_CASE_TEMPLATE_INVOKE(session_close_again, backend);                                                             \
  TEST_CASE_TEMPLATE_INVOKE(session_current, backend);                                                                 \
  TEST_CASE_TEMPLATE_INVOKE(session_executor_spawn, backend);                                                          \
  TEST_CASE_TEMPLATE_INVOKE(session_shutdown, backend);                                                                \
  TEST_CASE_TEMPLATE_INVOKE(session_many, backend)
