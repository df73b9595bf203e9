// Looks at a session: its path, its report, and what each survivor is waiting for.
#include "sessions/session_core.hpp"
#include <algorithm>
#include <mutex>

namespace troupe {
namespace {

std::string segment(const session_core& session) {
  return session.name().empty() ? to_string(session.id()) : session.name().str();
}

void explain(survivor& s, const wait_info& wait, const task_record& task, time_point now) {
  auto due = [&] {
    return wait.due > now ? "due in " + to_text(wait.due - now) : "overdue by " + to_text(now - wait.due);
  };
  switch (wait.kind) {
  case wait_kind::none:
    s.verdict = survivor_verdict::running;
    s.kept_alive_by = "its own code, which is running";
    return;
  case wait_kind::turn:
    s.verdict = survivor_verdict::waiting_turn;
    s.kept_alive_by = std::string{"its next turn on executor "} + task.executor_name;
    return;
  case wait_kind::timer:
    s.verdict = survivor_verdict::waiting_timer;
    s.kept_alive_by = "a timer, " + due();
    return;
  case wait_kind::task:
    s.verdict = survivor_verdict::waiting_task;
    s.kept_alive_by = "task " + to_string(wait.awaited) + ", which it awaits";
    return;
  case wait_kind::reply:
    s.verdict = survivor_verdict::waiting_reply;
    s.kept_alive_by = "a reply from actor " + std::to_string(wait.receiver) +
                      (wait.has_due ? ", with a timeout " + due() : ", without a timeout");
    return;
  case wait_kind::session:
    s.verdict = survivor_verdict::waiting_session;
    s.kept_alive_by = "the close of session " + to_string(wait.awaited_session);
    return;
  case wait_kind::custom:
    s.verdict = survivor_verdict::waiting_other;
    s.kept_alive_by = *wait.what ? wait.what : "something that it awaits";
    return;
  }
}

/// A task as the report sees it, with what the verdict is made from.
struct seen_task {
  task_id id;
  wait_info wait;
  task_state state;
  const char* executor;
  survivor text;
};

const seen_task* find(const std::vector<seen_task>& tasks, task_id id) {
  auto found = std::find_if(tasks.begin(), tasks.end(), [&](auto& task) { return task.id == id; });
  return found == tasks.end() ? nullptr : &*found;
}

bool awaits_itself(const std::vector<seen_task>& tasks, const seen_task& start) {
  auto* task = &start;
  for (std::size_t i = 0; task && task->wait.kind == wait_kind::task && i <= tasks.size(); ++i)
    if (task = find(tasks, task->wait.awaited); task == &start)
      return true;
  return false;
}

/// @param can_expire Whether a deadline will cancel them.
void judge(std::vector<seen_task>& tasks, bool quiescent, bool can_expire) {
  std::vector<std::pair<const char*, int>> queues;
  for (auto& task : tasks) {
    if (task.state < task_state::running) {
      auto queue = std::find_if(queues.begin(), queues.end(),
                                [&](auto& q) { return std::string_view{q.first} == task.executor; });
      if (queue == queues.end())
        queue = queues.insert(queues.end(), {task.executor, 0});
      task.text.kept_alive_by = "the queue of executor " + std::string{task.executor} + ", as number " +
                                std::to_string(++queue->second) + " of this session's";
    }
    if (awaits_itself(tasks, task)) {
      if (quiescent || !can_expire)
        task.text.verdict = survivor_verdict::never_completes;
      task.text.kept_alive_by += ", which in turn awaits it";
    } else if (quiescent && task.wait.kind != wait_kind::timer &&
               !(task.wait.has_due && task.wait.kind == wait_kind::reply)) {
      task.text.verdict = survivor_verdict::never_completes;
    }
  }
}

} // namespace

survivor describe(const task_record& task, time_point now) {
  survivor s;
  auto state = task.state();
  auto wait = task.waiting();
  auto last = task.last_event();
  s.kind = survivor_kind::task;
  s.id = to_string(task.id);
  s.name = task.name.str();
  s.state = std::string{to_string(task.kind)} + " task, " + to_string(state);
  s.executor = task.executor_name;
  s.spawned_at = to_text(task.where);
  s.parent = task.parent ? to_string(task.parent) : std::string{};
  s.age = now - task.spawned_at;
  s.since_last_event = now - last;
  s.last_event = last == task.spawned_at ? "spawned" : "last suspended";
  if (state < task_state::running) {
    s.verdict = survivor_verdict::waiting_turn;
    s.kept_alive_by = std::string{"the queue of executor "} + task.executor_name;
  } else {
    explain(s, wait, task, now);
  }
  return s;
}

std::string session_core::path() const {
  if (!parent_)
    return segment(*this);
  std::string out = to_string(id_) + (name_.empty() ? "" : " '" + name_.str() + "'");
  for (auto* ancestor = parent_.get(); ancestor; ancestor = ancestor->parent_.get())
    out = segment(*ancestor) + "/" + out;
  return out;
}

bool session_core::is_proper_ancestor_of(const session_core& other) const noexcept {
  for (auto* ancestor = other.parent_.get(); ancestor; ancestor = ancestor->parent_.get())
    if (ancestor == this)
      return true;
  return false;
}

void session_core::name_parts(std::vector<survivor>& out, time_point now) const {
  for (auto* child = first_child_; child; child = child->next_sibling_) {
    survivor s;
    s.kind = survivor_kind::session;
    s.id = to_string(child->id_);
    s.name = child->name_.str();
    s.state = std::string{"child session, "} + to_string(child->state());
    s.spawned_at = to_text(child->where_);
    s.parent = to_string(id_);
    s.age = now - child->entered_[0];
    s.kept_alive_by = child->state() <= session_state::open ? "nobody having closed it" : "what it still owns";
    out.push_back(std::move(s));
  }
  if (!extras_)
    return;
  for (auto& actor : extras_->actors) {
    survivor s;
    s.kind = survivor_kind::actor;
    s.id = to_string(id_) + ".actor" + std::to_string(actor.number);
    s.name = actor.name;
    s.state = actor.killed ? "actor, killed" : actor.asked ? "actor, asked to exit" : "actor";
    s.spawned_at = to_text(actor.where);
    s.parent = to_string(id_);
    s.age = now - actor.since;
    s.kept_alive_by = actor.killed  ? "the message handler that it is in"
                      : actor.asked ? "its mailbox: it has not handled the exit message"
                                    : "the work of this session, which comes first";
    out.push_back(std::move(s));
  }
  for (auto& resource : extras_->resources) {
    survivor s;
    s.kind = survivor_kind::resource;
    s.id = to_string(id_) + ".resource" + std::to_string(resource.number);
    s.name = resource.name;
    s.state = resource.releasing ? "resource, being released" : "resource, not released";
    s.spawned_at = to_text(resource.where);
    s.parent = to_string(id_);
    s.age = now - resource.since;
    s.verdict = survivor_verdict::unreleased;
    if (resource.releasing)
      s.kept_alive_by = "its closer, which has not returned";
    else if (!extras_->running_abandoned.empty())
      s.kept_alive_by = "task " + to_string(*extras_->running_abandoned.begin()) + ", abandoned while it ran";
    else
      s.kept_alive_by = "its users and the resources acquired after it, which come first";
    out.push_back(std::move(s));
  }
}

std::string session_core::internal_name(task_id task) const {
  std::lock_guard guard{lock_};
  auto* found = task.session == id_ ? find(task) : nullptr;
  return found && found->internal ? found->name.str() : std::string{};
}

cleanup_report session_core::report(time_point now, bool quiescent) const {
  cleanup_report r;
  r.id = id_;
  r.path = path();
  r.name = name_.str();
  r.opened_at = to_text(where_);
  std::vector<counted<task_record>> tasks;
  std::vector<std::shared_ptr<const cleanup_report>> closed_children;
  std::vector<survivor> parts;
  {
    std::lock_guard guard{lock_};
    r.final_state = state();
    r.cause = cause();
    r.counters = counters_;
    r.children_closed = children_closed_;
    r.children_dirty = children_dirty_;
    r.children_failed = children_failed_;
    for (std::size_t i = 0; i <= static_cast<std::size_t>(r.final_state); ++i) {
      if (entered_[i] == time_point::max())
        continue;
      auto end = now;
      for (auto next = i + 1; next <= static_cast<std::size_t>(r.final_state); ++next)
        if (entered_[next] != time_point::max()) {
          end = entered_[next];
          break;
        }
      if (static_cast<session_state>(i) != session_state::closed)
        r.phases.push_back({static_cast<session_state>(i), end - entered_[i]});
    }
    if (extras_) {
      if (!extras_->errors.empty())
        r.first_error = extras_->errors.front();
      if (extras_->errors.size() > 1)
        r.further_errors.assign(extras_->errors.begin() + 1, extras_->errors.end());
      r.dropped_errors = extras_->dropped_errors;
      r.survivors = extras_->survivors;
      closed_children = extras_->child_reports;
    }
    if (r.final_state != session_state::closed) {
      for_each_task([&](task_record& task) {
        if (!task.internal)
          tasks.emplace_back(&task);
      });
      // Actors and resources of an open session are at work, not left over.
      if (first_child_ || r.final_state >= session_state::draining)
        name_parts(parts, now);
    }
    const bool left_over = dirty_ || !tasks.empty() || !parts.empty() || !r.survivors.empty();
    r.outcome = r.final_state == session_state::closed ? outcome()
                : failed_                              ? close_outcome::failed
                : left_over                            ? close_outcome::dirty
                                                       : close_outcome::clean;
  }
  std::vector<seen_task> seen;
  for (auto& task : tasks) {
    seen_task s{task->id, task->waiting(), task->state(), task->executor_name, describe(*task, now)};
    if (!is_terminal(s.state))
      seen.push_back(std::move(s));
  }
  // Who awaits a helper of ours waits for what that stands for.
  for (auto& task : seen)
    if (task.wait.kind == wait_kind::task)
      for (auto* owner = this; owner; owner = owner->parent_.get())
        if (auto stands_for = owner->internal_name(task.wait.awaited); !stands_for.empty()) {
          task.text.verdict = survivor_verdict::waiting_session;
          task.text.kept_alive_by = "the " + stands_for;
          break;
        }
  judge(seen, quiescent, deadline_.has_value());
  for (auto& task : seen)
    r.survivors.push_back(std::move(task.text));
  for (auto& part : parts) {
    if (r.final_state <= session_state::open && part.kind != survivor_kind::session)
      continue;
    if (quiescent)
      part.verdict = survivor_verdict::never_completes;
    r.survivors.push_back(std::move(part));
  }
  for (auto& child : closed_children)
    r.children.push_back(*child);
  if (r.final_state != session_state::closed)
    for (auto& child : children())
      if (auto unfinished = child->report(now, quiescent); !unfinished.survivors.empty())
        r.children.push_back(std::move(unfinished));
  return r;
}

std::error_code session_core::validate(std::string* why) const {
  std::size_t tasks = 0, sessions = 0;
  {
    std::lock_guard guard{lock_};
    tasks = user_tasks();
    for (auto* child = first_child_; child; child = child->next_sibling_)
      ++sessions;
    tasks += state() == session_state::closed && extras_ ? extras_->survivors.size() : 0;
  }
  if (tasks + sessions == 0)
    return {};
  if (why)
    *why = "session " + path() + " owns " + std::to_string(tasks) + " unfinished tasks and " +
           std::to_string(sessions) + " open child sessions";
  return make_error_code(errc::not_clean);
}

} // namespace troupe
