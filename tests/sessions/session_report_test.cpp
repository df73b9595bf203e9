// What reports say, as values, text and JSON.
#include "tests/sessions/core_fixture.hpp"
#include <nlohmann/json.hpp>

using namespace troupe;
using namespace troupe::test;

TEST_SUITE("cleanup_report") {
  TEST_CASE("a survivor says what keeps it alive") {
    driver s;
    s.core->opened(s.now);
    fake_task task{task_kind::scoped, "task", task_id{session_id{1}, 9}};
    REQUIRE(!task.admit_to(*s.core));
    auto seen = [&](wait_info wait) {
      task.wait = wait;
      s.now = time_point{2s};
      return s.report().survivors.at(0);
    };
    auto running = seen({});
    CHECK(running.verdict == survivor_verdict::running);
    CHECK(running.parent == "s1.t9");
    CHECK(running.executor == "background");
    CHECK(running.age == 2s);
    auto sleeping = seen({.kind = wait_kind::timer, .due = time_point{5s}, .has_due = true});
    CHECK(sleeping.verdict == survivor_verdict::waiting_timer);
    CHECK(sleeping.kept_alive_by == "a timer, due in 3 s");
    auto asking = seen({.kind = wait_kind::reply, .receiver = 7});
    CHECK(asking.verdict == survivor_verdict::waiting_reply);
    CHECK(asking.kept_alive_by == "a reply from actor 7, without a timeout");
    auto awaiting = seen({.kind = wait_kind::task, .awaited = {session_id{1}, 3}});
    CHECK(awaiting.verdict == survivor_verdict::waiting_task);
    CHECK(awaiting.kept_alive_by == "task s1.t3, which it awaits");
    auto closing = seen({.kind = wait_kind::session, .awaited_session = session_id{4}});
    CHECK(closing.verdict == survivor_verdict::waiting_session);
    CHECK(closing.kept_alive_by == "the close of session s4");
    task.now = task_state::dispatched;
    auto queued = seen({});
    CHECK(queued.verdict == survivor_verdict::waiting_turn);
    CHECK(queued.kept_alive_by == "the queue of executor background, as number 1 of this session's");
    task.now = task_state::running;
    task.finish();
    CHECK(s.report().survivors.empty());
  }

  TEST_CASE("tasks that await each other never complete") {
    driver s;
    fake_task a{task_kind::scoped}, b{task_kind::scoped}, c{task_kind::scoped};
    for (auto* task : {&a, &b, &c})
      REQUIRE(!task->admit_to(*s.core));
    a.wait = {.kind = wait_kind::task, .awaited = b.id};
    b.wait = {.kind = wait_kind::task, .awaited = a.id};
    c.wait = {.kind = wait_kind::task, .awaited = a.id};
    auto report = s.report();
    CHECK(report.survivors[0].verdict == survivor_verdict::never_completes);
    CHECK(report.survivors[1].verdict == survivor_verdict::never_completes);
    CHECK(report.survivors[2].verdict == survivor_verdict::waiting_task);
    for (auto* task : {&a, &b, &c})
      task->finish();
  }

  TEST_CASE("when nothing can run any more, only timers still complete") {
    driver s;
    fake_task sleeps{task_kind::scoped}, asks{task_kind::scoped};
    REQUIRE(!sleeps.admit_to(*s.core));
    REQUIRE(!asks.admit_to(*s.core));
    sleeps.wait = {.kind = wait_kind::timer, .due = time_point{5s}, .has_due = true};
    asks.wait = {.kind = wait_kind::reply, .receiver = 7};
    auto report = s.core->report(s.now, true);
    CHECK(report.survivors[0].verdict == survivor_verdict::waiting_timer);
    CHECK(report.survivors[1].verdict == survivor_verdict::never_completes);
    sleeps.finish();
    asks.finish();
  }

  TEST_CASE("a snapshot names the open children and what they own, a path says where") {
    driver root{{.name = "root"}}, http{{.name = "http"}, &root};
    root.core->opened(root.now);
    REQUIRE(!root.core->add_child(*http.core));
    fake_task task{task_kind::scoped, "handle"};
    REQUIRE(!task.admit_to(*http.core));
    CHECK(root.core->path() == "root");
    CHECK(http.core->path() == "root/s2 'http'");
    auto report = root.report();
    REQUIRE(report.survivors.size() == 1);
    CHECK(report.survivors[0].kind == survivor_kind::session);
    REQUIRE(report.children.size() == 1);
    CHECK(report.children[0].survivors.at(0).name == "handle");
    std::string why;
    CHECK(root.core->validate(&why) == errc::not_clean);
    CHECK(why == "session root owns 0 unfinished tasks and 1 open child sessions");
    task.finish();
    http.core->request_close(close_cause::completed, http.now);
    http.turn();
    root.core->child_closed(*http.core, nullptr);
    CHECK(!root.core->validate(nullptr));
    CHECK(root.report().is_clean());
  }

  TEST_CASE("the parts of an open session are at work, not left over") {
    driver s;
    s.core->opened(s.now);
    std::uint32_t number = 0;
    REQUIRE(!s.core->add_resource(number, "file", source_location::current(), s.now));
    CHECK(s.report().is_clean());
    CHECK(!s.core->validate(nullptr));
    s.core->request_close(close_cause::completed, s.now);
    CHECK(s.report().survivors.size() == 1);
    s.turn();
    s.core->resource_released(number, "");
    s.turn();
    CHECK(s.report().is_clean());
  }

  TEST_CASE("phases are timed, and skipped ones left out") {
    driver s;
    s.core->opened(s.now);
    fake_task audit{task_kind::wait_until};
    REQUIRE(!audit.admit_to(*s.core));
    s.now += 2s;
    s.core->request_close(close_cause::completed, s.now);
    s.turn();
    s.now += 3s;
    audit.finish();
    s.turn();
    s.now += 100s;
    auto phases = s.report().phases;
    REQUIRE(phases.size() == 4);
    CHECK(phases[1].state == session_state::open);
    CHECK(phases[1].spent == 2s);
    CHECK(phases[3].state == session_state::grace);
    CHECK(phases[3].spent == 3s);
  }

  TEST_CASE("text and JSON say the same, and survive any bytes in a label") {
    driver s{{.name = "GET /orders"}};
    s.core->opened(s.now);
    fake_task stuck{task_kind::scoped, "odd \"label\" \xff\n"};
    REQUIRE(!stuck.admit_to(*s.core));
    auto report = s.report();
    auto text = report.to_text();
    CHECK(text.find("session GET /orders: open") == 0);
    CHECK(text.find("1 survivor:") != std::string::npos);
    CHECK(text.find("kept alive by: its own code, which is running") != std::string::npos);
    CHECK(text.find("core_fixture.hpp:") != std::string::npos);
    auto json = nlohmann::json::parse(report.to_json());
    CHECK(json["outcome"] == "dirty");
    CHECK(json["survivors"][0]["id"] == "s1.t1");
    CHECK(json["survivors"][0]["verdict"] == "running");
    CHECK(json["counters"]["spawned"] == 1);
    CHECK(json["phases"].is_array());
    CHECK(report.to_json().find('\n') == std::string::npos);
    stuck.finish();
  }

  TEST_CASE("durations are printed with a fitting unit") {
    CHECK(to_text(duration{1500ms}) == "1.5 s");
    CHECK(to_text(duration{20ms}) == "20 ms");
    CHECK(to_text(duration{3us}) == "3 us");
    CHECK(to_text(duration{0}) == "0 ns");
    CHECK(to_text(duration{std::chrono::nanoseconds{999'600'000}}) == "1000 ms"); // never with an exponent
    CHECK(to_text(duration{1h}) == "3600 s");
  }
}
