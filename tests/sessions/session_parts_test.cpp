// Child sessions, actors and resources in a shutdown; crashes; how much time each part gets.
#include "tests/sessions/core_fixture.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {
/// Closes `child` for real and tells its parent.
void finish(driver& child, driver& parent) {
  REQUIRE(child.turn() == words{"closed"});
  auto report = child.report();
  parent.core->child_closed(*child.core, child.core->outcome() == close_outcome::clean
                                             ? nullptr
                                             : std::make_shared<const cleanup_report>(report));
}
} // namespace

TEST_SUITE("session_core, its parts") {
  TEST_CASE("child sessions are closed one by one, the last started first, after the scoped tasks") {
    driver parent;
    parent.core->opened(parent.now);
    driver first{{}, &parent}, second{{}, &parent};
    for (auto* child : {&first, &second}) {
      child->core->opened(child->now);
      REQUIRE(!parent.core->add_child(*child->core));
    }
    fake_task scoped{task_kind::scoped};
    REQUIRE(!scoped.admit_to(*parent.core));
    parent.core->request_close(close_cause::completed, parent.now);
    parent.turn();
    CHECK(second.core->state() == session_state::open);
    scoped.finish();
    parent.turn();
    CHECK(second.core->state() == session_state::draining);
    CHECK(second.core->cause() == close_cause::parent_closed);
    CHECK(first.core->state() == session_state::open);
    finish(second, parent);
    CHECK(parent.turn() == words{});
    CHECK(first.core->state() == session_state::draining);
    finish(first, parent);
    CHECK(parent.turn() == words{"closed"});
    CHECK(parent.report().children_closed == 2);
    CHECK(parent.report().children.empty());
    CHECK(parent.report().is_clean());
  }

  TEST_CASE("a closing session opens no child") {
    driver parent;
    parent.core->request_close(close_cause::completed, parent.now);
    driver child{{}, &parent};
    CHECK(parent.core->add_child(*child.core) == errc::session_closed);
    CHECK(parent.turn() == words{"closed"});
  }

  TEST_CASE("children that come and go while the session is open need no decision") {
    driver parent;
    parent.core->opened(parent.now);
    for (int i = 0; i < 10; ++i) {
      driver child{{}, &parent};
      REQUIRE(!parent.core->add_child(*child.core));
      child.core->request_close(close_cause::completed, child.now);
      finish(child, parent);
    }
    CHECK(parent.core->wakes == 0);
    CHECK(parent.core->children().empty());
    CHECK(parent.report().children_closed == 10);
  }

  TEST_CASE("cancelling reaches all children at once, with its cause") {
    driver parent;
    parent.core->opened(parent.now);
    driver first{{}, &parent}, second{{}, &parent};
    fake_task task{task_kind::scoped};
    REQUIRE(!task.admit_to(*first.core));
    for (auto* child : {&first, &second})
      REQUIRE(!parent.core->add_child(*child->core));
    parent.core->request_cancel(close_cause::deadline_exceeded, parent.now);
    parent.turn();
    CHECK(first.core->cause() == close_cause::deadline_exceeded);
    CHECK(second.core->cause() == close_cause::deadline_exceeded);
    finish(first, parent);
    finish(second, parent);
    CHECK(task.seen_cause == close_cause::deadline_exceeded);
    CHECK(parent.turn() == words{"closed"});
  }

  TEST_CASE("a child shares its parent's budget, and is forced along") {
    driver parent{{.grace = 10s, .shutdown_budget = 40s}};
    parent.core->opened(parent.now);
    driver child{{.grace = 1h, .shutdown_budget = 2h}, &parent};
    child.core->opened(child.now);
    fake_task stuck{task_kind::wait_until, "stuck"};
    stuck.on_cancel = fake_task::ignores;
    REQUIRE(!stuck.admit_to(*child.core));
    REQUIRE(!parent.core->add_child(*child.core));
    parent.core->request_close(close_cause::completed, parent.now);
    parent.turn();
    child.turn();
    CHECK(child.core->state() == session_state::grace);
    CHECK(child.timer <= time_point{25s}); // what the parent has before it kills
    parent.turn_at_timer();
    CHECK(parent.core->state() == session_state::cancelling);
    child.now = parent.now;
    child.turn();
    CHECK(child.core->state() == session_state::cancelling);
    CHECK(stuck.forced == 1);
    parent.turn_at_timer();
    CHECK(parent.core->state() == session_state::killing);
    child.now = parent.now;
    finish(child, parent);
    CHECK(stuck.now == task_state::abandoned);
    CHECK(parent.turn() == words{"closed"});
    CHECK(parent.core->outcome() == close_outcome::dirty);
    REQUIRE(parent.report().children.size() == 1);
    CHECK(parent.report().children[0].survivors.at(0).name == "stuck");
  }

  TEST_CASE("a child that does not even obey being killed is named") {
    driver parent{{.shutdown_budget = 8s}};
    driver child{{.name = "http"}, &parent};
    REQUIRE(!parent.core->add_child(*child.core));
    parent.core->request_close(close_cause::completed, parent.now);
    parent.turn();
    parent.turn_at_timer();
    parent.turn_at_timer();
    CHECK(parent.core->state() == session_state::killing);
    CHECK(parent.turn_at_timer() == words{"closed"});
    CHECK(parent.now == time_point{8s});
    REQUIRE(parent.report().survivors.size() == 1);
    CHECK(parent.report().survivors[0].kind == survivor_kind::session);
    CHECK(parent.report().survivors[0].name == "http");
    finish(child, parent); // late, and harmless
    CHECK(parent.core->children().empty());
  }

  TEST_CASE("resources are released in reverse order, one by one, after all their users") {
    driver s;
    s.core->opened(s.now);
    std::uint32_t file = 0, index = 0;
    REQUIRE(!s.core->add_resource(file, "file", source_location::current(), s.now));
    REQUIRE(!s.core->add_resource(index, "index", source_location::current(), s.now));
    fake_task audit{task_kind::wait_until};
    REQUIRE(!audit.admit_to(*s.core));
    s.core->request_close(close_cause::completed, s.now);
    CHECK(s.turn() == words{});
    audit.finish();
    CHECK(s.turn() == words{"release_resource 2"});
    CHECK(s.turn() == words{});
    s.core->resource_released(index, "");
    CHECK(s.turn() == words{"release_resource 1"});
    s.core->resource_released(file, "");
    CHECK(s.turn() == words{"closed"});
    CHECK(s.report().is_clean());
  }

  TEST_CASE("resources are released after a failure, too") {
    driver s;
    s.core->opened(s.now);
    std::uint32_t file = 0;
    REQUIRE(!s.core->add_resource(file, "file", source_location::current(), s.now));
    fake_task task{task_kind::scoped};
    REQUIRE(!task.admit_to(*s.core));
    task.fail("oops");
    CHECK(s.turn() == words{"release_resource 1"});
    s.core->resource_released(file, "");
    CHECK(s.turn() == words{"closed"});
    CHECK(s.core->outcome() == close_outcome::failed);
  }

  TEST_CASE("a closer that throws is reported, and the resources before it are released all the same") {
    driver s;
    std::uint32_t file = 0, index = 0;
    REQUIRE(!s.core->add_resource(file, "file", source_location::current(), s.now));
    REQUIRE(!s.core->add_resource(index, "index", source_location::current(), s.now));
    s.core->request_close(close_cause::completed, s.now);
    s.turn();
    s.core->resource_released(index, "cannot flush");
    CHECK(s.turn() == words{"release_resource 1"});
    s.core->resource_released(file, "");
    CHECK(s.turn() == words{"closed"});
    CHECK(s.core->outcome() == close_outcome::dirty);
    CHECK(s.report().first_error.find("releasing 'index'") == 0);
    CHECK(s.report().first_error.find("cannot flush") != std::string::npos);
  }

  TEST_CASE("a closer that never returns is given up on when the budget is spent") {
    driver s{{.shutdown_budget = 8s}};
    std::uint32_t file = 0;
    REQUIRE(!s.core->add_resource(file, "file", source_location::current(), s.now));
    s.core->request_close(close_cause::completed, s.now);
    CHECK(s.turn() == words{"release_resource 1"});
    while (s.core->state() != session_state::closed)
      s.turn_at_timer();
    CHECK(s.now == time_point{8s});
    auto report = s.report();
    REQUIRE(report.survivors.size() == 1);
    CHECK(report.survivors[0].kind == survivor_kind::resource);
    CHECK(report.survivors[0].kept_alive_by == "its closer, which has not returned");
    CHECK(report.outcome == close_outcome::dirty);
    s.core->resource_released(file, ""); // at last; nobody minds
  }

  TEST_CASE("a closer gets a moment even with a budget of zero") {
    driver s{{.shutdown_budget = 0s}};
    std::uint32_t file = 0;
    REQUIRE(!s.core->add_resource(file, "file", source_location::current(), s.now));
    s.core->request_close(close_cause::completed, s.now);
    CHECK(s.turn() == words{});
    auto timer = s.timer;
    CHECK(timer > s.now);
    CHECK(timer <= s.now + 1s);
    s.core->resource_released(file, "");
    CHECK(s.turn() == words{"closed"});
    CHECK(s.report().is_clean());
  }

  TEST_CASE("a resource outlives the abandoned code that may still use it") {
    driver s{{.shutdown_budget = 8s}};
    std::uint32_t file = 0;
    REQUIRE(!s.core->add_resource(file, "file", source_location::current(), s.now));
    fake_task stuck{task_kind::scoped, "stuck"};
    stuck.on_cancel = fake_task::ignores;
    REQUIRE(!stuck.admit_to(*s.core));
    s.core->request_close(close_cause::completed, s.now);
    s.turn();
    s.turn_at_timer();
    s.turn_at_timer();
    CHECK(stuck.now == task_state::abandoned);
    CHECK(s.core->state() == session_state::killing);
    SUBCASE("and is released when that returns in time") {
      s.core->stale_completion(stuck);
      CHECK(s.turn() == words{"release_resource 1"});
      s.core->resource_released(file, "");
      CHECK(s.turn() == words{"closed"});
      CHECK(s.report().survivors.size() == 1);
    }
    SUBCASE("and is released after the close if that returns late") {
      CHECK(s.turn_at_timer() == words{"closed"});
      auto report = s.report();
      REQUIRE(report.survivors.size() == 2);
      CHECK(report.survivors[1].kind == survivor_kind::resource);
      CHECK(report.survivors[1].kept_alive_by == "task s1.t1, abandoned while it ran");
      s.core->stale_completion(stuck);
      CHECK(s.core->released_late == std::vector<std::uint32_t>{1});
    }
  }

  TEST_CASE("actors are asked to exit once all work is done, and before the resources go") {
    driver s;
    s.core->opened(s.now);
    std::uint32_t cache = 0, log = 0, file = 0;
    REQUIRE(!s.core->add_actor(cache, "cache", source_location::current(), s.now));
    REQUIRE(!s.core->add_actor(log, "log", source_location::current(), s.now));
    REQUIRE(!s.core->add_resource(file, "file", source_location::current(), s.now));
    fake_task task{task_kind::scoped};
    REQUIRE(!task.admit_to(*s.core));
    s.core->request_close(close_cause::completed, s.now);
    CHECK(s.turn() == words{});
    task.finish();
    CHECK(s.turn() == words{"ask_actor 2", "ask_actor 1"});
    s.core->actor_gone(log);
    CHECK(s.turn() == words{});
    s.core->actor_gone(cache);
    CHECK(s.turn() == words{"release_resource 3"});
    s.core->resource_released(file, "");
    CHECK(s.turn() == words{"closed"});
    CHECK(s.report().is_clean());
  }

  TEST_CASE("an actor that does not exit is killed, and named if even that does not help") {
    driver s{{.shutdown_budget = 8s}};
    std::uint32_t number = 0;
    REQUIRE(!s.core->add_actor(number, "deaf", source_location::current(), s.now));
    s.core->request_close(close_cause::completed, s.now);
    CHECK(s.turn() == words{"ask_actor 1"});
    CHECK(s.turn_at_timer() == words{"kill_actor 1"});
    CHECK(s.core->state() == session_state::killing);
    SUBCASE("it obeys") {
      s.core->actor_gone(number);
      CHECK(s.turn() == words{"closed"});
      CHECK(s.report().is_clean());
    }
    SUBCASE("it does not") {
      CHECK(s.turn_at_timer() == words{"closed"});
      REQUIRE(s.report().survivors.size() == 1);
      CHECK(s.report().survivors[0].kind == survivor_kind::actor);
      CHECK(s.report().survivors[0].state == "actor, killed");
    }
  }

  TEST_CASE("a failure that is not a task's follows the policy, and an escalation always ends the session") {
    driver s{{.on_failure = failure_policy::collect}};
    s.core->opened(s.now);
    s.core->fail("actor 'cache' died");
    s.turn();
    CHECK(s.core->state() == session_state::open);
    s.core->fail("too many restarts", close_cause::escalated);
    CHECK(s.turn() == words{"closed"});
    CHECK(s.core->cause() == close_cause::escalated);
    CHECK(s.core->outcome() == close_outcome::failed);
  }

  TEST_CASE("an escalated child is a failure of its parent") {
    driver parent, child{{.name = "poller"}, &parent};
    parent.core->opened(parent.now);
    REQUIRE(!parent.core->add_child(*child.core));
    child.core->fail("too many restarts", close_cause::escalated);
    finish(child, parent);
    CHECK(parent.turn() == words{"closed"});
    CHECK(parent.core->cause() == close_cause::escalated);
    CHECK(parent.report().first_error.find("'poller' escalated") != std::string::npos);
    CHECK(parent.report().first_error.find("too many restarts") != std::string::npos);
  }

  TEST_CASE("an ordinary failure of a child is its own affair") {
    driver parent, child{{}, &parent};
    parent.core->opened(parent.now);
    REQUIRE(!parent.core->add_child(*child.core));
    fake_task task{task_kind::scoped};
    REQUIRE(!task.admit_to(*child.core));
    task.fail("404");
    finish(child, parent);
    CHECK(parent.turn() == words{});
    CHECK(parent.core->state() == session_state::open);
    parent.core->request_close(close_cause::completed, parent.now);
    CHECK(parent.turn() == words{"closed"});
    CHECK(parent.core->outcome() == close_outcome::clean);
    CHECK(parent.report().children_failed == 1);
    CHECK(parent.report().children.size() == 1);
  }

  TEST_CASE("a crashed supervisor leaves a session that ends as failed, with its tasks cancelled") {
    driver s;
    s.core->opened(s.now);
    fake_task task{task_kind::scoped};
    REQUIRE(!task.admit_to(*s.core));
    s.core->supervisor_lost("the supervisor was killed", s.now);
    CHECK(s.turn() == words{"closed"});
    CHECK(task.now == task_state::done_cancelled);
    CHECK(s.core->outcome() == close_outcome::failed);
    CHECK(s.report().first_error == "the supervisor was killed");
  }

  TEST_CASE("a task that is still settling when its session gives up keeps the session's memory") {
    driver s{{.shutdown_budget = 0s}};
    class settling_task final : public task_record {
    public:
      task_state state() const noexcept override { return task_state::running; }
      wait_info waiting() const noexcept override { return {}; }
      time_point last_event() const noexcept override { return {}; }
      void request_cancel(close_cause, bool) noexcept override {}
      void abandon() noexcept override {} // somebody else is settling it
      void add_ref() noexcept override {}
      void release() noexcept override {}
    } task;
    REQUIRE(!s.core->admit(task));
    s.core->request_close(close_cause::completed, s.now);
    s.turn();
    CHECK(s.turn_at_timer() == words{"closed"});
    auto* core = s.core.get();
    s.core = {};
    CHECK(core->settled(task, task_state::done_ok, nullptr)); // ASan would see a use after free
  }
}
