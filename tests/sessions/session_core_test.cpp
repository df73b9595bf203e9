// What a session owns, accepts and decides, without CAF: the state machine alone.
#include "tests/sessions/core_fixture.hpp"

using namespace troupe;
using namespace troupe::test;

TEST_SUITE("session_core") {
  TEST_CASE("a session that owns nothing closes at once and clean") {
    driver s;
    CHECK(s.core->state() == session_state::starting);
    CHECK(s.core->opened(s.now));
    CHECK(s.core->state() == session_state::open);
    s.core->request_close(close_cause::completed, s.now);
    CHECK(s.core->state() == session_state::draining);
    CHECK(s.turn() == words{"closed"});
    CHECK(s.core->state() == session_state::closed);
    CHECK(s.core->outcome() == close_outcome::clean);
    CHECK(s.core->cause() == close_cause::completed);
    CHECK(s.turn() == words{});
    CHECK(s.report().is_clean());
  }

  TEST_CASE("a session that is asked to close while it starts never opens") {
    driver s;
    s.core->request_close(close_cause::cancelled, s.now);
    CHECK_FALSE(s.core->opened(s.now));
    CHECK(s.turn() == words{"closed"});
    for (auto& phase : s.report().phases)
      CHECK(phase.state != session_state::open);
  }

  TEST_CASE("tasks get ids in order of admission, and an open session needs no decision for them") {
    driver s;
    s.core->opened(s.now);
    fake_task a{task_kind::scoped}, b{task_kind::wait_until}, c{task_kind::daemon};
    for (auto* task : {&a, &b, &c})
      CHECK(!task->admit_to(*s.core));
    CHECK(to_string(b.id) == "s1.t2");
    CHECK_FALSE(s.core->is_task_complete(b.id));
    b.finish();
    CHECK(s.core->is_task_complete(b.id));
    a.finish();
    c.finish();
    CHECK(s.core->wakes == 0);
    CHECK(s.core->counters().spawned == 3);
    CHECK(s.core->counters().ok == 3);
  }

  TEST_CASE("a task is settled once") {
    driver s;
    fake_task a{task_kind::scoped};
    REQUIRE(!a.admit_to(*s.core));
    a.finish();
    CHECK_FALSE(s.core->settled(a, task_state::done_ok, nullptr));
    CHECK(s.core->counters().ok == 1);
  }

  TEST_CASE("an orderly close cancels daemons, joins scoped tasks, and refuses new ones") {
    driver s;
    s.core->opened(s.now);
    fake_task scoped{task_kind::scoped}, daemon{task_kind::daemon}, late{task_kind::scoped};
    REQUIRE(!scoped.admit_to(*s.core));
    REQUIRE(!daemon.admit_to(*s.core));
    s.core->request_close(close_cause::completed, s.now);
    CHECK(late.admit_to(*s.core) == errc::session_closed);
    CHECK(late.id == task_id{});
    CHECK(s.turn() == words{});
    CHECK(daemon.cancels == 1);
    CHECK(scoped.cancels == 0);
    CHECK(s.core->state() == session_state::draining);
    scoped.finish();
    CHECK(s.turn() == words{"closed"});
    CHECK(s.core->outcome() == close_outcome::clean);
    CHECK(s.core->counters().rejected == 1);
  }

  TEST_CASE("scoped tasks are cancelled at close if the session says so") {
    driver s{{.on_close = join_mode::cancel}};
    fake_task scoped{task_kind::scoped};
    REQUIRE(!scoped.admit_to(*s.core));
    s.core->request_close(close_cause::completed, s.now);
    CHECK(s.turn() == words{"closed"});
    CHECK(scoped.cancels == 1);
    CHECK(s.core->outcome() == close_outcome::clean);
  }

  TEST_CASE("unfinished scoped tasks are named and cancelled at close if the session takes them for a mistake") {
    driver s{{.on_close = join_mode::report}};
    fake_task forgotten{task_kind::scoped, "forgotten"}, done{task_kind::scoped, "done"};
    fake_task audit{task_kind::wait_until, "audit"};
    REQUIRE(!audit.admit_to(*s.core));
    REQUIRE(!forgotten.admit_to(*s.core));
    REQUIRE(!done.admit_to(*s.core));
    done.finish();
    s.core->request_close(close_cause::completed, s.now);
    CHECK(s.turn() == words{});
    CHECK(audit.cancels == 0);
    audit.finish();
    CHECK(s.turn() == words{"closed"});
    CHECK(s.core->outcome() == close_outcome::dirty);
    REQUIRE(s.report().survivors.size() == 1);
    CHECK(s.report().survivors[0].name == "forgotten");
    CHECK(s.core->validate(nullptr) == errc::not_clean);
  }

  TEST_CASE("wait_until tasks run on after the scoped ones, and keep spawning their like") {
    driver s;
    s.core->opened(s.now);
    fake_task audit{task_kind::wait_until}, scoped{task_kind::scoped};
    REQUIRE(!audit.admit_to(*s.core));
    REQUIRE(!scoped.admit_to(*s.core));
    s.core->request_close(close_cause::completed, s.now);
    s.turn();
    scoped.finish();
    CHECK(s.turn() == words{});
    CHECK(s.core->state() == session_state::grace);
    CHECK(audit.cancels == 0);
    fake_task more{task_kind::wait_until, "", audit.id}, stranger{task_kind::wait_until};
    fake_task not_shielded{task_kind::scoped, "", audit.id};
    CHECK(!more.admit_to(*s.core));
    CHECK(stranger.admit_to(*s.core) == errc::session_closed);
    CHECK(not_shielded.admit_to(*s.core) == errc::session_closed);
    audit.finish();
    fake_task orphan{task_kind::wait_until, "", audit.id};
    CHECK(orphan.admit_to(*s.core) == errc::session_closed);
    CHECK(s.turn() == words{});
    more.finish();
    CHECK(s.turn() == words{"closed"});
    CHECK(s.core->outcome() == close_outcome::clean);
  }

  TEST_CASE("when grace expires, shielded tasks are cancelled too, and none are accepted any more") {
    driver s{{.grace = 10s, .shutdown_budget = 60s}};
    fake_task audit{task_kind::wait_until};
    audit.on_cancel = fake_task::ignores;
    REQUIRE(!audit.admit_to(*s.core));
    s.core->request_close(close_cause::completed, s.now);
    s.turn();
    CHECK(s.timer == time_point{10s});
    s.turn_at_timer();
    CHECK(s.core->state() == session_state::cancelling);
    CHECK(audit.forced == 1);
    CHECK(audit.seen_cause == close_cause::completed);
    fake_task more{task_kind::wait_until, "", audit.id};
    CHECK(more.admit_to(*s.core) == errc::session_closed);
    audit.settle(task_state::done_cancelled);
    CHECK(s.turn() == words{"closed"});
    CHECK(s.core->outcome() == close_outcome::clean);
  }

  TEST_CASE("a task that never ends is abandoned when the budget is spent, and named with what keeps it alive") {
    driver s{{.grace = 30s, .shutdown_budget = 60s}};
    fake_task stuck{task_kind::scoped, "stuck"};
    stuck.on_cancel = fake_task::ignores;
    REQUIRE(!stuck.admit_to(*s.core));
    s.core->request_close(close_cause::completed, s.now);
    s.turn();
    s.turn_at_timer(); // grace
    CHECK(s.timer == time_point{45s});
    CHECK(s.turn_at_timer() == words{"closed"});
    CHECK(stuck.now == task_state::abandoned);
    CHECK(s.core->outcome() == close_outcome::dirty);
    auto report = s.report();
    REQUIRE(report.survivors.size() == 1);
    CHECK(report.survivors[0].id == "s1.t1");
    CHECK(report.survivors[0].name == "stuck");
    CHECK(report.survivors[0].state == "scoped task, running");
    CHECK(report.survivors[0].spawned_at.find("core_fixture.hpp:") == 0);
    CHECK(report.survivors[0].age == 45s);
    CHECK(report.survivors[0].verdict == survivor_verdict::running);
    CHECK(report.counters.abandoned == 1);
    s.core->stale_completion(stuck);
    CHECK(s.core->counters().stale == 1);
  }

  TEST_CASE("a task that settles just before it would be abandoned is not named") {
    driver s{{.grace = 1s, .shutdown_budget = 4s}};
    fake_task slow{task_kind::scoped};
    slow.on_cancel = fake_task::ignores;
    REQUIRE(!slow.admit_to(*s.core));
    s.core->request_close(close_cause::completed, s.now);
    s.turn();
    s.turn_at_timer();
    s.now = s.timer;
    effects fx;
    s.core->advance(s.now, fx);
    slow.finish(); // concurrently with the decision to kill
    for (auto& effect : fx)
      s.core->carry_out(effect, s.now);
    CHECK(s.turn() == words{"closed"});
    CHECK(s.core->outcome() == close_outcome::clean);
    CHECK(s.report().survivors.empty());
    CHECK(s.core->counters().ok == 1);
    CHECK(s.core->counters().abandoned == 0);
  }

  TEST_CASE("with a budget of zero everything is told to end at once, and nothing is waited for") {
    driver s{{.shutdown_budget = 0s}};
    fake_task stuck{task_kind::scoped}, obedient{task_kind::wait_until};
    stuck.on_cancel = fake_task::ignores;
    REQUIRE(!stuck.admit_to(*s.core));
    REQUIRE(!obedient.admit_to(*s.core));
    s.core->request_close(close_cause::completed, s.now);
    CHECK(s.turn() == words{"closed"});
    CHECK(obedient.now == task_state::done_cancelled);
    CHECK(stuck.now == task_state::abandoned);
    CHECK(s.report().survivors.size() == 1);
  }

  TEST_CASE("the grace never takes more than half of the budget") {
    driver s{{.grace = 30s, .shutdown_budget = 8s}};
    fake_task stuck{task_kind::scoped};
    stuck.on_cancel = fake_task::ignores;
    REQUIRE(!stuck.admit_to(*s.core));
    s.core->request_close(close_cause::completed, s.now);
    s.turn();
    CHECK(s.timer == time_point{4s});
    s.turn_at_timer();
    CHECK(s.timer == time_point{6s});
    s.turn_at_timer();
    CHECK(s.core->state() == session_state::closed);
  }

  TEST_CASE("cancelling is sticky, keeps its cause, and shields wait_until tasks") {
    driver s;
    s.core->opened(s.now);
    fake_task scoped{task_kind::scoped}, audit{task_kind::wait_until};
    scoped.on_cancel = fake_task::ignores;
    REQUIRE(!scoped.admit_to(*s.core));
    REQUIRE(!audit.admit_to(*s.core));
    s.core->request_cancel(close_cause::cancelled, s.now);
    s.core->request_cancel(close_cause::deadline_exceeded, s.now);
    s.turn();
    CHECK(s.core->cause() == close_cause::cancelled);
    CHECK(scoped.cancels == 1);
    CHECK(scoped.seen_cause == close_cause::cancelled);
    CHECK(audit.forced == 0);
    CHECK(audit.now == task_state::running);
    scoped.settle(task_state::done_cancelled);
    s.turn();
    CHECK(s.core->state() == session_state::grace);
    audit.finish();
    CHECK(s.turn() == words{"closed"});
    CHECK(s.core->outcome() == close_outcome::clean);
  }

  TEST_CASE("cancelling reaches a session that is draining in order") {
    driver s;
    fake_task scoped{task_kind::scoped};
    REQUIRE(!scoped.admit_to(*s.core));
    s.core->request_close(close_cause::completed, s.now);
    s.turn();
    CHECK(scoped.cancels == 0);
    s.core->request_cancel(close_cause::cancelled, s.now);
    CHECK(s.turn() == words{"closed"});
    CHECK(scoped.cancels == 1);
    CHECK(s.core->cause() == close_cause::completed);
  }

  TEST_CASE("the deadline cancels an open session and one that drains, but not its grace") {
    driver s{{.deadline = 5s, .grace = 20s}};
    s.core->opened(s.now);
    fake_task scoped{task_kind::scoped}, audit{task_kind::wait_until};
    REQUIRE(!scoped.admit_to(*s.core));
    REQUIRE(!audit.admit_to(*s.core));
    SUBCASE("open") {
      s.turn();
      CHECK(s.timer == time_point{5s});
      s.turn_at_timer();
      CHECK(s.core->cause() == close_cause::deadline_exceeded);
      CHECK(scoped.now == task_state::done_cancelled);
      CHECK(scoped.seen_cause == close_cause::deadline_exceeded);
    }
    SUBCASE("draining") {
      s.core->request_close(close_cause::completed, s.now);
      s.turn();
      CHECK(s.timer == time_point{5s});
      s.turn_at_timer();
      CHECK(s.core->cause() == close_cause::completed);
      CHECK(scoped.seen_cause == close_cause::deadline_exceeded);
    }
    SUBCASE("grace") {
      s.core->request_close(close_cause::completed, s.now);
      scoped.finish();
      s.turn();
      CHECK(s.timer == time_point{20s});
      s.now = time_point{6s};
      s.turn();
    }
    CHECK(audit.forced == 0);
    CHECK(s.core->state() == session_state::grace);
    audit.finish();
    CHECK(s.turn() == words{"closed"});
  }

  TEST_CASE("the first failure ends the session, cancels the others, and later ones are attached") {
    driver s;
    s.core->opened(s.now);
    fake_task a{task_kind::scoped, "a"}, b{task_kind::scoped, "b"}, c{task_kind::scoped, "c"};
    c.on_cancel = fake_task::ignores;
    for (auto* task : {&a, &b, &c})
      REQUIRE(!task->admit_to(*s.core));
    a.fail("disk full");
    CHECK(s.core->wakes == 1);
    CHECK(s.turn() == words{});
    CHECK(s.core->cause() == close_cause::task_failed);
    CHECK(b.now == task_state::done_cancelled);
    c.fail("late");
    CHECK(s.turn() == words{"closed"});
    CHECK(s.core->outcome() == close_outcome::failed);
    auto report = s.report();
    CHECK(report.first_error.find("s1.t1 'a'") == 0);
    CHECK(report.first_error.find("disk full") != std::string::npos);
    REQUIRE(report.further_errors.size() == 1);
    CHECK(report.further_errors[0].find("late") != std::string::npos);
    CHECK(report.survivors.empty());
  }

  TEST_CASE("failures that are collected or logged do not end the session") {
    auto policy = failure_policy::collect;
    SUBCASE("collected") {}
    SUBCASE("logged") { policy = failure_policy::log; }
    driver s{{.on_failure = policy}};
    s.core->opened(s.now);
    fake_task a{task_kind::scoped, "a"}, b{task_kind::scoped};
    REQUIRE(!a.admit_to(*s.core));
    REQUIRE(!b.admit_to(*s.core));
    a.fail("oops");
    CHECK(s.core->wakes == 0);
    s.turn();
    CHECK(s.core->state() == session_state::open);
    b.finish();
    s.core->request_close(close_cause::completed, s.now);
    CHECK(s.turn() == words{"closed"});
    const bool collected = policy == failure_policy::collect;
    CHECK(s.core->outcome() == (collected ? close_outcome::failed : close_outcome::clean));
    CHECK(s.report().first_error.empty() != collected);
    CHECK(s.core->logged.size() == (collected ? 0 : 1));
    CHECK(s.core->counters().failed == 1);
  }

  TEST_CASE("a lost task is a failure, a rejected one is not") {
    driver s;
    s.core->opened(s.now);
    fake_task lost{task_kind::scoped}, rejected{task_kind::scoped};
    REQUIRE(!lost.admit_to(*s.core));
    REQUIRE(!rejected.admit_to(*s.core));
    rejected.settle(task_state::rejected);
    CHECK(s.core->wakes == 0);
    lost.settle(task_state::lost);
    CHECK(s.turn() == words{"closed"});
    CHECK(s.core->outcome() == close_outcome::failed);
    CHECK(s.core->counters().rejected == 1);
    CHECK(s.core->counters().failed == 1);
  }

  TEST_CASE("the errors that a report keeps are bounded") {
    driver s{{.on_failure = failure_policy::collect}};
    for (int i = 0; i < 100; ++i) {
      fake_task task{task_kind::scoped};
      REQUIRE(!task.admit_to(*s.core));
      task.fail("again");
    }
    auto report = s.report();
    CHECK(report.further_errors.size() == cleanup_report::kept_errors);
    CHECK(report.dropped_errors == 99 - cleanup_report::kept_errors);
  }

  TEST_CASE("internal helpers are not the user's work, and are admitted until the session has closed") {
    driver s;
    fake_task helper{task_kind::scoped}, late{task_kind::scoped}, too_late{task_kind::scoped};
    helper.internal = late.internal = too_late.internal = true;
    REQUIRE(!helper.admit_to(*s.core));
    CHECK(!s.core->validate(nullptr));
    CHECK(s.report().is_clean());
    s.core->request_close(close_cause::completed, s.now);
    CHECK(!late.admit_to(*s.core));
    CHECK(s.turn() == words{"closed"});
    CHECK(too_late.admit_to(*s.core) == errc::session_closed);
    CHECK(s.report().survivors.empty());
    CHECK(s.core->counters().spawned == 0);
    helper.finish();
    late.finish();
  }

  TEST_CASE("a task is handed over whole: it keeps its id, and only its new owner waits for it") {
    driver root;
    root.core->opened(root.now);
    driver s{{}, &root};
    s.core->opened(s.now);
    REQUIRE(!root.core->add_child(*s.core));
    CHECK(root.core->is_proper_ancestor_of(*s.core));
    CHECK_FALSE(s.core->is_proper_ancestor_of(*root.core));
    fake_task moved{task_kind::scoped, "moved"}, stays{task_kind::scoped};
    REQUIRE(!moved.admit_to(*s.core));
    REQUIRE(!stays.admit_to(*s.core));
    REQUIRE(s.core->hold(true));
    CHECK(s.core->disown(moved));
    CHECK_FALSE(s.core->settled(moved, task_state::done_ok, nullptr));
    CHECK(!root.core->adopt(moved));
    s.core->unhold();
    moved.owner = root.core.get();
    CHECK_FALSE(s.core->settled(moved, task_state::done_ok, nullptr));
    stays.finish();
    s.core->request_close(close_cause::completed, s.now);
    CHECK(s.turn() == words{"closed"});
    root.core->child_closed(*s.core, nullptr);
    CHECK(s.core->outcome() == close_outcome::clean);
    CHECK(root.core->validate(nullptr) == errc::not_clean);
    REQUIRE(root.report().survivors.size() == 1);
    CHECK(root.report().survivors[0].id == "s2.t1");
    root.core->request_close(close_cause::completed, root.now);
    CHECK(root.turn() == words{});
    moved.finish();
    CHECK(root.turn() == words{"closed"});
    CHECK(root.core->counters().taken_over == 1);
    CHECK(s.core->counters().handed_over == 1);
  }

  TEST_CASE("a session does not close while a task is between two owners") {
    driver s;
    fake_task moved{task_kind::scoped};
    REQUIRE(!moved.admit_to(*s.core));
    REQUIRE(s.core->hold(true));
    s.core->request_close(close_cause::completed, s.now);
    CHECK(s.core->disown(moved));
    CHECK(s.turn() == words{});
    CHECK(!s.core->adopt(moved)); // the other one refused
    s.core->unhold();
    CHECK(s.turn() == words{});
    moved.finish();
    CHECK(s.turn() == words{"closed"});
  }

  TEST_CASE("a session that could not be opened refuses everything") {
    driver s;
    s.core->refuse(s.now);
    fake_task task{task_kind::wait_until};
    CHECK(task.admit_to(*s.core) == errc::session_closed);
    CHECK(s.core->state() == session_state::closed);
    s.core->request_close(close_cause::completed, s.now);
    s.core->request_cancel(close_cause::completed, s.now);
    CHECK(s.turn() == words{});
  }

  TEST_CASE("cancel_task reaches an unsettled task and no other") {
    driver s;
    fake_task task{task_kind::wait_until};
    REQUIRE(!task.admit_to(*s.core));
    CHECK(s.core->cancel_task(task.id, close_cause::cancelled));
    CHECK(task.now == task_state::done_cancelled);
    CHECK_FALSE(s.core->cancel_task(task.id, close_cause::cancelled));
  }
}
