// What follows: the decisions of a session's state machine, from the first failure or request to the last effect.
#include "sessions/session_core.hpp"
#include <algorithm>
#include <mutex>

namespace troupe {
namespace {
/// What killing gets to be confirmed even with nothing left of the budget.
constexpr duration kill_floor = std::chrono::milliseconds{100};
} // namespace

void session_core::advance(time_point now, effects& out) {
  std::lock_guard guard{lock_};
  while (step(now, out)) {
  }
  set_timer(out);
}

bool session_core::step(time_point now, effects& out) {
  if (is_open())
    return start_if_due(now);
  if (state() == session_state::closed)
    return false;
  if (!drain_started_) {
    start_draining(out);
    return true;
  }
  if (state() == session_state::draining && cancel_wanted_ == close_cause::none && deadline_ && now >= *deadline_)
    cancel_wanted_ = close_cause::deadline_exceeded;
  if (cancel_wanted_ != close_cause::none && !cancel_sent_) {
    cancel_everything(out);
    return true;
  }
  if (state() < session_state::cancelling && now >= grace_end_ && owns_anything()) {
    enter(session_state::cancelling, now);
    return true;
  }
  if (state() >= session_state::cancelling && !cancelling_sent_) {
    force_everything(out);
    return true;
  }
  if (state() < session_state::killing && now >= cancel_end_ && owns_anything()) {
    enter(session_state::killing, now);
    kill_end_ = forced_ ? total_end_ : std::max(total_end_, now + kill_floor);
    return true;
  }
  if (state() == session_state::killing && !kill_sent_) {
    kill_everything(now, out);
    return false; // what has just been told to end gets its chance, whatever the time
  }
  if (state() == session_state::killing && now >= kill_end_) {
    give_up(now, out);
    return false;
  }
  return wind_up(now, out);
}

bool session_core::owns_anything() const noexcept {
  return user_tasks() > 0 || holds_ > 0 || first_child_ ||
         (extras_ && !(extras_->actors.empty() && extras_->resources.empty()));
}

bool session_core::start_if_due(time_point now) noexcept {
  if (failing_)
    cancel_wanted_ = fail_cause_;
  else if (deadline_ && now >= *deadline_)
    cancel_wanted_ = close_cause::deadline_exceeded;
  else
    return false;
  begin_close(cancel_wanted_, now, budget_, {});
  return true;
}

void session_core::start_draining(effects& out) {
  drain_started_ = true;
  for_each_task([&](task_record& task) {
    if (task.internal || task.kind == task_kind::wait_until)
      return;
    if (task.kind == task_kind::daemon || on_close_ == join_mode::cancel)
      out.push_back({effect::cancel_task, counted<task_record>{&task}, {}, 0, cause()});
    else if (on_close_ == join_mode::report)
      out.push_back({effect::report_task, counted<task_record>{&task}, {}, 0, cause()});
  });
}

void session_core::cancel_everything(effects& out) {
  cancel_sent_ = true;
  for_each_task([&](task_record& task) {
    if (!task.internal)
      out.push_back({effect::cancel_task, counted<task_record>{&task}, {}, 0, cancel_wanted_});
  });
  for (auto* child = last_child_; child; child = child->previous_sibling_)
    out.push_back({effect::cancel_child, {}, counted<session_core>{child}, 0, cancel_wanted_});
}

void session_core::force_everything(effects& out) {
  cancelling_sent_ = true;
  auto why = cancel_wanted_ == close_cause::none ? cause() : cancel_wanted_;
  for_each_task([&](task_record& task) {
    if (!task.internal)
      out.push_back({effect::cancel_task, counted<task_record>{&task}, {}, 0, why, true});
  });
  for (auto* child = last_child_; child; child = child->previous_sibling_)
    out.push_back(
        {effect::force_child, {}, counted<session_core>{child}, 0, why, true, session_state::cancelling, cancel_end_});
}

void session_core::kill_everything(time_point now, effects& out) {
  kill_sent_ = true;
  for (auto* child = last_child_; child; child = child->previous_sibling_)
    out.push_back({effect::force_child,
                   {},
                   counted<session_core>{child},
                   0,
                   cause(),
                   true,
                   session_state::killing,
                   now + (kill_end_ - now) / 4 * 3});
  for_each_task([&](task_record& task) { out.push_back({effect::abandon_task, counted<task_record>{&task}}); });
  if (extras_)
    for (auto actor = extras_->actors.rbegin(); actor != extras_->actors.rend(); ++actor) {
      actor->killed = true;
      out.push_back({effect::kill_actor, {}, {}, actor->number});
    }
}

// Everything that ends by itself is awaited here, in the order of the shutdown.
bool session_core::wind_up(time_point now, effects& out) {
  if (unsettled_[scoped] + unsettled_[daemon] + holds_ > 0)
    return false;
  if (last_child_) {
    if (!last_child_->asked_to_close_ && state() == session_state::draining) {
      last_child_->asked_to_close_ = true;
      out.push_back({effect::close_child,
                     {},
                     counted<session_core>{last_child_},
                     0,
                     close_cause::parent_closed,
                     false,
                     session_state::draining,
                     cancel_end_});
    }
    return false;
  }
  if (unsettled_[wait_until] > 0) {
    if (state() != session_state::draining)
      return false;
    enter(session_state::grace, now);
    return true;
  }
  if (extras_ && !extras_->actors.empty()) {
    if (state() < session_state::cancelling) {
      enter(session_state::cancelling, now);
      return true;
    }
    if (!actors_asked_) {
      actors_asked_ = true;
      for (auto actor = extras_->actors.rbegin(); actor != extras_->actors.rend(); ++actor)
        if (!actor->killed) {
          actor->asked = true;
          out.push_back({effect::ask_actor, {}, {}, actor->number});
        }
    }
    return false;
  }
  if (extras_ && !extras_->resources.empty()) {
    // Abandoned code may still use them.
    holding_resources_ = !extras_->running_abandoned.empty();
    auto& last = extras_->resources.back();
    if (!holding_resources_ && !last.releasing) {
      last.releasing = true;
      out.push_back({effect::release_resource, {}, {}, last.number});
    }
    return false;
  }
  close(now, out);
  return false;
}

void session_core::give_up(time_point now, effects& out) {
  dirty_ = true;
  auto& survivors = more().survivors;
  for_each_task([&](task_record& task) {
    if (!task.internal)
      survivors.push_back(describe(task, now));
  });
  name_parts(survivors, now);
  close(now, out);
}

void session_core::close(time_point now, effects& out) {
  dirty_ = dirty_ || (extras_ && !extras_->survivors.empty());
  outcome_.store(failed_  ? close_outcome::failed
                 : dirty_ ? close_outcome::dirty
                          : close_outcome::clean,
                 std::memory_order_release);
  if (has_tasks()) {
    holds_itself_ = true;
    add_ref();
  }
  enter(session_state::closed, now);
  out.push_back({effect::closed});
}

void session_core::set_timer(effects& out) {
  auto due = time_point::max();
  switch (state()) {
  case session_state::starting:
  case session_state::open:
    // A parent with the same deadline cancels its children itself.
    if (deadline_ && !(parent_ && parent_->deadline_ && *parent_->deadline_ <= *deadline_))
      due = *deadline_;
    break;
  case session_state::draining:
    due = grace_end_;
    if (deadline_ && cancel_wanted_ == close_cause::none)
      due = std::min(due, *deadline_);
    break;
  case session_state::grace:
    due = grace_end_;
    break;
  case session_state::cancelling:
    due = cancel_end_;
    break;
  case session_state::killing:
    due = kill_end_;
    break;
  case session_state::closed:
    return;
  }
  if (due == timer_)
    return;
  timer_ = due;
  if (due != time_point::max())
    out.push_back({effect::set_timer, {}, {}, 0, close_cause::none, false, state(), due});
}

// -- effects ------------------------------------------------------------------

bool session_core::carry_out(const effect& what, time_point now) {
  switch (what.kind) {
  case effect::cancel_task:
  case effect::report_task:
    cancel_or_report(what, now);
    return true;
  case effect::abandon_task:
    abandon(*what.task, now);
    return true;
  case effect::close_child:
    what.child->request_close(what.cause, now, {}, what.due);
    return true;
  case effect::cancel_child:
    what.child->request_cancel(what.cause, now);
    return true;
  case effect::force_child:
    what.child->force(what.state, now, what.due);
    return true;
  default:
    return false;
  }
}

void session_core::cancel_or_report(const effect& what, time_point now) {
  if (what.kind == effect::report_task) {
    auto s = describe(*what.task, now);
    if (!is_terminal(what.task->state())) {
      std::lock_guard guard{lock_};
      more().survivors.push_back(std::move(s));
    }
  }
  what.task->request_cancel(what.cause, what.force);
}

/// Has `settle` settle a task whose code may run on: resources wait for it to return. @returns whether it is settled so
template <class F>
bool session_core::settle_as(task_record& task, task_state how, F settle) {
  const bool runs = task.waiting().kind == wait_kind::none && task.state() == task_state::running;
  if (runs) { // before it can return
    code_left_running();
    std::lock_guard guard{lock_};
    more().running_abandoned.insert(task.id);
  }
  settle();
  const bool is_settled = task.state() == how;
  bool mistaken = false;
  if (runs && !is_settled) {
    std::lock_guard guard{lock_};
    mistaken = extras_->running_abandoned.erase(task.id) > 0;
  }
  if (mistaken)
    code_came_back();
  return is_settled;
}

void session_core::abandon(task_record& task, time_point now) {
  auto s = describe(task, now);
  if (!settle_as(task, task_state::abandoned, [&] { task.abandon(); }) || task.internal)
    return;
  std::lock_guard guard{lock_};
  more().survivors.push_back(std::move(s));
}

void session_core::executor_crashed(const task_sink& which) {
  for (auto& task : unsettled_tasks())
    if (task->runs_on() == &which)
      settle_as(*task, task_state::lost, [&] { task->executor_crashed(); });
}

bool session_core::has_begun_on(const task_sink& which) const {
  const auto tasks = unsettled_tasks();
  return std::any_of(tasks.begin(), tasks.end(), [&](auto& task) {
    return task->runs_on() == &which && !task->internal && task->state() == task_state::running;
  });
}

const char* to_string(effect::kind_type kind) noexcept {
  switch (kind) {
  case effect::cancel_task:
    return "cancel_task";
  case effect::report_task:
    return "report_task";
  case effect::abandon_task:
    return "abandon_task";
  case effect::close_child:
    return "close_child";
  case effect::cancel_child:
    return "cancel_child";
  case effect::force_child:
    return "force_child";
  case effect::ask_actor:
    return "ask_actor";
  case effect::kill_actor:
    return "kill_actor";
  case effect::release_resource:
    return "release_resource";
  case effect::set_timer:
    return "set_timer";
  case effect::closed:
    return "closed";
  }
  return "?";
}

} // namespace troupe
