// What sessions promise of the things they own, and say of those that survive, as tests over a backend (see
// session_contract.hpp); TROUPE_OWNERSHIP_CONTRACT(backend) instantiates them.
#pragma once
#include "actors/ask.hpp"
#include "tests/contracts/session_support.hpp"
#include <algorithm>
#include <atomic>
#include <stdexcept>

namespace troupe::test {

TEST_CASE_TEMPLATE_DEFINE("resources are released in reverse order, after their users, and values by reference",
                          Backend, session_resources) {
  Backend backend;
  shared_log log;
  auto s = backend.sys().open_session();
  auto file = s.acquire(
      "file", [] { return std::string{"open"}; },
      [&](std::string& value) {
        log.add("file closed " + value);
        value = "closed";
      });
  REQUIRE(file);
  REQUIRE(!s.acquire(
      "index", [] { return std::error_code{}; }, [&] { log.add("index closed"); }));
  auto refused = s.acquire(
      "broken", []() -> caf::expected<int> { return caf::make_error(caf::sec::cannot_open_file); }, [](int&) {});
  CHECK_FALSE(refused);
  CHECK(refused.error() == caf::sec::cannot_open_file);
  s.wait_until([&, file = *file]() -> async<void> {
     co_await sleep_for(2ms);
     log.add("used " + *file);
   }).detach();
  CHECK(close(backend, s).is_clean());
  CHECK(log.lines() == std::vector<std::string>{"used open", "index closed", "file closed open"});
}

TEST_CASE_TEMPLATE_DEFINE("a closer that throws is reported, and the others run all the same", Backend,
                          session_throwing_closer) {
  Backend backend;
  shared_log log;
  auto s = backend.sys().open_session();
  REQUIRE(!s.acquire("file", {}, [&] { log.add("file closed"); }));
  REQUIRE(!s.acquire("index", {}, [] { throw std::runtime_error{"cannot flush"}; }));
  auto report = close(backend, s);
  CHECK(log.lines() == std::vector<std::string>{"file closed"});
  CHECK(report.outcome == close_outcome::dirty);
  CHECK(report.first_error.find("'index'") != std::string::npos);
  CHECK(report.first_error.find("cannot flush") != std::string::npos);
  CHECK(report.survivors.empty());
}

TEST_CASE_TEMPLATE_DEFINE("owned actors exit with their session, and are killed if they do not", Backend,
                          session_actors) {
  Backend backend;
  auto& caf_system = backend.sys().caf();
  auto s = backend.sys().open_session({.shutdown_budget = 600ms});
  auto polite = caf_system.template spawn<silent_actor>();
  auto stubborn = caf_system.template spawn<stubborn_actor>();
  REQUIRE(!s.own(polite, "polite"));
  REQUIRE(!s.own(stubborn, "stubborn"));
  CHECK(s.report().is_clean());
  auto report = close(backend, s);
  CHECK(report.is_clean());
  CHECK(report.phases.back().state == session_state::killing);
}

TEST_CASE_TEMPLATE_DEFINE("an owned actor that crashes fails its session; one that ends does not", Backend,
                          session_actor_crash) {
  Backend backend;
  auto& caf_system = backend.sys().caf();
  auto s = backend.sys().open_session();
  auto ends = caf_system.template spawn<silent_actor>();
  auto crashes = caf_system.template spawn<silent_actor>();
  REQUIRE(!s.own(ends, "ends"));
  REQUIRE(!s.own(crashes, "crashes"));
  caf::anon_send(ends, caf::exit_msg{ends->address(), caf::exit_reason::normal});
  caf::anon_send(crashes, std::string{"please"});
  auto ended = backend.sys().block_on(s.closed());
  REQUIRE(ended.has_value());
  CHECK(ended->outcome == close_outcome::failed);
  CHECK(ended->first_error.find("actor2 'crashes', owned since ownership_contract.hpp:") != std::string::npos);
  CHECK(ended->further_errors.empty());
}

TEST_CASE_TEMPLATE_DEFINE("a session outlives its supervisor: it is closed in order, as failed", Backend,
                          session_supervisor_killed) {
  Backend backend;
  shared_log log;
  auto s = backend.sys().open_session();
  auto below = s.open_session();
  REQUIRE(!s.acquire("file", {}, [&] { log.add("file closed"); }));
  auto task = below.spawn([]() -> async<void> { co_await sleep_for(1h); });
  send_urgent_exit(s.address(), caf::exit_reason::kill);
  auto ended = backend.sys().block_on(s.closed());
  REQUIRE(ended.has_value());
  CHECK(ended->outcome == close_outcome::failed);
  CHECK(ended->first_error == "its supervisor was killed");
  CHECK(ended->survivors.empty());
  CHECK(below.state() == session_state::closed);
  CHECK(task.peek().is_cancelled());
  CHECK(log.lines() == std::vector<std::string>{"file closed"});
}

TEST_CASE_TEMPLATE_DEFINE("an exit message to a session closes it", Backend, session_exit_message) {
  Backend backend;
  auto s = backend.sys().open_session();
  caf::anon_send_exit(s.address(), caf::exit_reason::user_shutdown);
  auto ended = backend.sys().block_on(s.closed());
  REQUIRE(ended.has_value());
  CHECK(ended->is_clean());
  CHECK(ended->cause == close_cause::cancelled);
  CHECK(!s.address());
}

TEST_CASE_TEMPLATE_DEFINE("a task is detached to a session above its own, never to nobody", Backend, session_detaches) {
  Backend backend;
  auto outer = backend.sys().open_session({.name = "outer"});
  auto s = outer.open_session();
  auto sibling = outer.open_session();
  auto sleeper = [](duration d) { return [d]() -> async<void> { co_await sleep_for(d); }; };
  auto kept = outer.spawn(sleeper(1ms));
  std::atomic<bool> enough = false;
  auto moved = s.spawn(
      [&]() -> async<void> {
        while (!enough)
          co_await sleep_for(1ms);
      },
      {.name = "moved"});
  auto id = moved.id();
  CHECK(s.detach(std::move(moved), sibling) == errc::invalid_argument);
  CHECK(sibling.detach(std::move(moved)) == errc::invalid_argument);
  REQUIRE(moved.valid());
  CHECK(!s.detach(std::move(moved), outer));
  CHECK_FALSE(moved.valid());
  CHECK(close(backend, s).is_clean());
  CHECK_FALSE(backend.sys().is_task_complete(id));
  CHECK_FALSE(outer.is_task_complete(id));
  auto names = outer.report().survivors;
  CHECK(std::any_of(names.begin(), names.end(), [](auto& survivor) { return survivor.name == "moved"; }));
  enough = true;
  auto report = close(backend, outer);
  CHECK(report.is_clean());
  CHECK(report.counters.taken_over == 1);
  CHECK(backend.sys().is_task_complete(id));
  CHECK(kept.is_ready());
}

TEST_CASE_TEMPLATE_DEFINE("a detached task can be found and cancelled by its name, and the root is audited for it",
                          Backend, session_detaches_to_root) {
  Backend backend;
  auto s = backend.sys().open_session();
  auto task = s.spawn([]() -> async<void> { co_await sleep_for(1h); });
  auto id = task.id();
  REQUIRE(!s.detach(std::move(task)));
  CHECK(close(backend, s).is_clean());
  CHECK(backend.sys().root().validate_cleanup() == errc::not_clean);
  CHECK_FALSE(backend.sys().find_session(s.id()).valid());
  CHECK(backend.sys().cancel_task(id));
  auto report = backend.sys().shutdown(10s);
  CHECK(report.is_clean());
  CHECK(report.counters.cancelled == 1);
  CHECK_FALSE(backend.sys().cancel_task(id));
}

TEST_CASE_TEMPLATE_DEFINE("a report says of each task what keeps it alive", Backend, session_explains) {
  Backend backend;
  auto s = backend.sys().open_session();
  auto silent = backend.sys().caf().template spawn<silent_actor>();
  REQUIRE(!s.own(silent, "silent"));
  auto sleeps = s.spawn([]() -> async<void> { co_await sleep_for(1h); }, {.name = "sleeps"});
  auto asks =
      s.spawn([silent]() -> async<void> { static_cast<void>(co_await ask<int>(silent, 2h, 1)); }, {.name = "asks"});
  auto awaits = s.spawn([&]() -> async<void> { co_await sleeps; }, {.name = "awaits"});
  auto below = s.open_session({.name = "below"});
  auto closes = s.spawn([below]() -> async<void> { static_cast<void>(co_await below.closed()); }, {.name = "closes"});
  REQUIRE(backend.sys().block_on(s.spawn([]() -> async<void> { co_await sleep_for(2ms); })).has_value());
  auto report = s.report();
  REQUIRE(report.survivors.size() == 5);
  auto named = [&](const std::string& name) -> survivor& {
    return *std::find_if(report.survivors.begin(), report.survivors.end(), [&](auto& s) { return s.name == name; });
  };
  CHECK(named("sleeps").verdict == survivor_verdict::waiting_timer);
  CHECK(named("asks").verdict == survivor_verdict::waiting_reply);
  CHECK(named("asks").kept_alive_by.find("actor " + std::to_string(silent.id())) != std::string::npos);
  CHECK(named("awaits").verdict == survivor_verdict::waiting_task);
  CHECK(named("awaits").kept_alive_by.find(to_string(sleeps.id())) != std::string::npos);
  CHECK(named("closes").verdict == survivor_verdict::waiting_session);
  CHECK(named("closes").kept_alive_by == "the close of session " + to_string(below.id()));
  CHECK(named("below").kind == survivor_kind::session);
  auto quiet = s.report_at_quiescence();
  for (auto& survivor : quiet.survivors)
    CHECK((survivor.verdict == survivor_verdict::never_completes) ==
          (survivor.name != "sleeps" && survivor.name != "asks"));
  s.cancel();
  REQUIRE(backend.sys().block_on(s.closed()).has_value());
  CHECK(s.report().is_clean());
}

TEST_CASE_TEMPLATE_DEFINE("with no budget at all, what has not ended when it is told to is abandoned and named",
                          Backend, session_zero_budget) {
  Backend backend;
  auto s = backend.sys().open_session({.name = "hasty"});
  auto task = s.spawn([]() -> async<void> { co_await sleep_for(1h); }, {.name = "slow"});
  auto unshielded = s.wait_until([]() -> async<void> { co_await sleep_for(1h); });
  // Their first steps have to be over.
  REQUIRE(backend.sys().block_on(s.spawn([]() -> async<void> { co_await sleep_for(1ms); })).has_value());
  auto report = close(backend, s, 0ms);
  CHECK(task.is_ready());
  CHECK(unshielded.is_ready());
  // A thread that is quick enough may see the cancellation through.
  CHECK(report.survivors.size() == report.counters.abandoned);
  CHECK(report.counters.abandoned + report.counters.cancelled == 2);
  CHECK(report.is_clean() == report.survivors.empty());
  for (auto& survivor : report.survivors) {
    CHECK(survivor.spawned_at.find("ownership_contract.hpp:") == 0);
    CHECK(survivor.executor == "background");
  }
  if (task.state() == task_state::abandoned)
    CHECK(task.error() == errc::task_abandoned);
  CHECK((s.validate_cleanup() == errc::not_clean) == !report.is_clean());
  auto root = backend.sys().shutdown(10s);
  CHECK(root.children.size() == (report.is_clean() ? 0 : 1));
}

TEST_CASE_TEMPLATE_DEFINE("an executor that crashes loses what has begun there, and what is queued runs all the same",
                          Backend, session_executor_crash) {
  Backend backend;
  shared_log log;
  auto& disk = backend.sys().make_dedicated("disk");
  auto s = backend.sys().open_session({.on_failure = failure_policy::collect});
  auto elsewhere = s.spawn([]() -> async<void> { co_await sleep_for(5ms); });
  auto asleep = s.spawn([]() -> async<void> { co_await sleep_for(1h); }, {.on = &disk});
  REQUIRE(backend.sys().block_on(s.spawn([] {}, {.on = &disk})).has_value()); // now it has begun
  task<void> queued, given_up;
  auto crashing = s.spawn(
      [&] {
        queued = s.spawn([&] { log.add("queued"); }, {.on = &disk});
        disk.crash(caf::sec::runtime_error);
        log.add("runs on");
      },
      {.on = &disk});
  CHECK(backend.sys().block_on(std::move(crashing)).error() == errc::task_lost);
  CHECK(backend.sys().block_on(std::move(asleep)).error() == errc::task_lost);
  CHECK(backend.sys().block_on(s.spawn([] {}, {.on = &disk})).has_value());
  CHECK(backend.sys().block_on(std::move(queued)).has_value());
  CHECK(log.lines() == std::vector<std::string>{"runs on", "queued"});
  auto twice = s.spawn(
      [&] {
        given_up = s.spawn([&] { log.add("never"); }, {.on = &disk});
        for (int i = 0; i < 2; ++i)
          disk.crash(caf::sec::runtime_error);
      },
      {.on = &disk});
  CHECK(backend.sys().block_on(std::move(twice)).error() == errc::task_lost);
  CHECK(backend.sys().block_on(s.spawn([] {}, {.on = &disk})).has_value());
  CHECK(given_up.state() == task_state::lost);
  CHECK(given_up.error() == errc::executor_down);
  CHECK(backend.sys().block_on(std::move(elsewhere)).has_value());
  auto report = close(backend, s);
  CHECK(report.outcome == close_outcome::failed);
  CHECK(report.counters.failed == 4);
  CHECK(report.counters.stale == 2); // whose code ran on
  CHECK(log.lines().size() == 2);
  disk.close();
  disk.crash(caf::sec::runtime_error);
  CHECK(s.spawn([] {}, {.on = &disk}).error() == errc::session_closed);
}

} // namespace troupe::test

/// Instantiates the contract for a backend, once per file.
#define TROUPE_OWNERSHIP_CONTRACT(backend)                                                                             \
  TEST_CASE_TEMPLATE_INVOKE(session_resources, backend);                                                               \
  TEST_CASE_TEMPLATE_INVOKE(session_throwing_closer, backend);                                                         \
  TEST_CASE_TEMPLATE_INVOKE(session_actors, backend);                                                                  \
  TEST_CASE_TEMPLATE_INVOKE(session_actor_crash, backend);                                                             \
  TEST_CASE_TEMPLATE_INVOKE(session_supervisor_killed, backend);                                                       \
  TEST_CASE_TEMPLATE_INVOKE(session_exit_message, backend);                                                            \
  TEST_CASE_TEMPLATE_INVOKE(session_detaches, backend);                                                                \
  TEST_CASE_TEMPLATE_INVOKE(session_detaches_to_root, backend);                                                        \
  TEST_CASE_TEMPLATE_INVOKE(session_explains, backend);                                                                \
  TEST_CASE_TEMPLATE_INVOKE(session_zero_budget, backend);                                                             \
  TEST_CASE_TEMPLATE_INVOKE(session_executor_crash, backend)
