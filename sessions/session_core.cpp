// What happens to a session: tasks come and settle, parts are added and go, somebody asks it to close.
#include "sessions/session_core.hpp"
#include <algorithm>
#include <cassert>
#include <mutex>

namespace troupe {

session_core::session_core(session_id id, const session_options& options, std::optional<time_point> deadline,
                           session_core* parent, source_location where, time_point now)
    : id_(id), on_close_(options.on_close), on_failure_(options.on_failure), parent_(parent), name_(options.name),
      where_(where), deadline_(deadline), grace_(clamp_duration(options.grace)),
      budget_(clamp_duration(options.shutdown_budget)) {
  entered_.fill(time_point::max());
  entered_[static_cast<std::size_t>(session_state::starting)] = now;
}

session_core::~session_core() = default;

void session_core::release() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete this;
}

session_core::extras& session_core::more() {
  if (!extras_)
    extras_ = std::make_unique<extras>();
  return *extras_;
}

// -- tasks --------------------------------------------------------------------

// In the list `owner_previous` is never null (the first task's is the task itself), so that it tells who is linked.
void session_core::link(task_record& task) noexcept {
  task.owner_next = nullptr;
  task.owner_previous = last_ ? last_ : &task;
  (last_ ? last_->owner_next : first_) = &task;
  last_ = &task;
}

// A task that was given away is never in a list again but in its new owner's map: its links tell this owner's lock
// holder that it is gone, and nobody else writes them.
bool session_core::forget(task_record& task) noexcept {
  if (!task.owner_previous) {
    if (!extras_ || extras_->adopted.erase(task.id) == 0)
      return false;
  } else {
    auto* previous = task.owner_previous == &task ? nullptr : task.owner_previous;
    (previous ? previous->owner_next : first_) = task.owner_next;
    if (task.owner_next)
      task.owner_next->owner_previous = previous ? previous : task.owner_next;
    else
      last_ = previous;
    task.owner_previous = task.owner_next = nullptr;
  }
  --unsettled_[tally_of(task)];
  continuing_[tally_of(task)] -= task.continues;
  return true;
}

task_record* session_core::find(task_id task) const noexcept {
  task_record* found = nullptr;
  for_each_task([&](task_record& candidate) {
    if (candidate.id == task)
      found = &candidate;
  });
  return found;
}

bool session_core::admits_late(const task_record& task) const noexcept {
  auto now = state_.load(std::memory_order_relaxed);
  if (task.internal)
    return now != session_state::closed;
  if (task.continues && continuing_[tally_of(task)] > 0)
    return now != session_state::closed;
  if (task.kind != task_kind::wait_until || now > session_state::grace)
    return false;
  auto* spawner = find(task.parent);
  return spawner && spawner->kind == task_kind::wait_until;
}

std::error_code session_core::admit(task_record& task) noexcept {
  std::lock_guard guard{lock_};
  if (!is_open() && !admits_late(task)) {
    counters_.rejected += !task.internal;
    return make_error_code(errc::session_closed);
  }
  task.id = {id_, ++last_task_};
  link(task);
  ++unsettled_[tally_of(task)];
  continuing_[tally_of(task)] += task.continues;
  counters_.spawned += !task.internal;
  return {};
}

void session_core::note_refused() noexcept {
  std::lock_guard guard{lock_};
  ++counters_.rejected;
}

bool session_core::settled(task_record& task, task_state outcome, const std::exception_ptr& error) noexcept {
  const bool failure = !task.internal && (outcome == task_state::done_error || outcome == task_state::lost);
  std::string text;
  if (failure)
    text = to_string(task.id) + (task.name.empty() ? "" : " '" + task.name.str() + "'") + ", spawned at " +
           to_text(task.where) + ": " + (error ? troupe::describe(error) : make_error_code(errc::task_lost).message());
  bool notify = false;
  bool drop = false;
  {
    std::lock_guard guard{lock_};
    if (!forget(task))
      return false;
    if (!task.internal) {
      counters_.ok += outcome == task_state::done_ok;
      counters_.failed += failure;
      counters_.cancelled += outcome == task_state::done_cancelled;
      counters_.rejected += outcome == task_state::rejected;
      counters_.abandoned += outcome == task_state::abandoned;
    }
    if (failure && on_failure_ != failure_policy::log) {
      treat_failure(std::move(text), close_cause::task_failed);
      notify = failing_ && is_open();
    }
    // Who sees that this session has closed sees that its tasks are settled, and who sees that sees them counted.
    task.mark_settled(outcome);
    notify = notify || (!is_open() && unsettled_[tally_of(task)] == 0);
    drop = drop_own_hold();
    if (notify || failure)
      add_ref(); // once the lock is free the session may close and go
  }
  if (notify || failure) {
    if (failure && on_failure_ == failure_policy::log)
      log("task " + text);
    if (notify)
      wake();
    release();
  }
  if (drop)
    release();
  return true;
}

bool session_core::drop_own_hold() noexcept {
  if (!holds_itself_ || has_tasks())
    return false;
  holds_itself_ = false;
  return true;
}

std::error_code session_core::adopt(task_record& task) noexcept {
  std::lock_guard guard{lock_};
  const bool returned = task.id.session == id_ && state() != session_state::closed;
  if (!is_open() && !returned)
    return make_error_code(errc::session_closed);
  more().adopted.emplace(task.id, &task);
  ++unsettled_[tally_of(task)];
  continuing_[tally_of(task)] += task.continues;
  if (!task.internal)
    ++counters_.taken_over;
  return {};
}

bool session_core::disown(task_record& task) noexcept {
  bool notify = false;
  bool drop = false;
  {
    std::lock_guard guard{lock_};
    if (!forget(task))
      return false;
    if (!task.internal)
      ++counters_.handed_over;
    notify = !is_open() && unsettled_[tally_of(task)] == 0;
    drop = drop_own_hold();
  }
  if (notify)
    wake();
  if (drop)
    release();
  return true;
}

void session_core::stale_completion(const task_record& task) noexcept {
  std::vector<std::uint32_t> unreleased;
  bool came_back = false;
  bool notify = false;
  {
    std::lock_guard guard{lock_};
    ++counters_.stale;
    came_back = extras_ && extras_->running_abandoned.erase(task.id) > 0;
    if (came_back && extras_->running_abandoned.empty() && holding_resources_) {
      holding_resources_ = false;
      notify = state() != session_state::closed;
      if (!notify)
        for (auto i = extras_->resources.rbegin(); i != extras_->resources.rend(); ++i)
          unreleased.push_back(i->number);
    }
  }
  if (notify)
    wake();
  if (!unreleased.empty())
    late_release(unreleased);
  if (came_back)
    code_came_back();
}

bool session_core::is_task_complete(task_id task) const noexcept {
  std::lock_guard guard{lock_};
  return !find(task);
}

bool session_core::cancel_task(task_id task, close_cause cause) noexcept {
  counted<task_record> found;
  {
    std::lock_guard guard{lock_};
    found = counted<task_record>{find(task)};
  }
  if (found)
    found->request_cancel(cause, true);
  return static_cast<bool>(found);
}

std::size_t session_core::unsettled() const noexcept {
  std::lock_guard guard{lock_};
  return user_tasks();
}

session_counters session_core::counters() const noexcept {
  std::lock_guard guard{lock_};
  return counters_;
}

std::vector<counted<task_record>> session_core::unsettled_tasks() const {
  std::vector<counted<task_record>> out;
  std::lock_guard guard{lock_};
  for_each_task([&](task_record& task) { out.emplace_back(&task); });
  return out;
}

// -- failures -----------------------------------------------------------------

void session_core::add_error(std::string error) noexcept {
  auto& errors = more().errors;
  if (errors.size() <= cleanup_report::kept_errors)
    errors.push_back(std::move(error));
  else
    ++extras_->dropped_errors;
}

void session_core::treat_failure(std::string error, close_cause cause) noexcept {
  add_error(std::move(error));
  failed_ = true;
  if (is_open() && !failing_ && (on_failure_ == failure_policy::fail_session || cause == close_cause::escalated)) {
    failing_ = true;
    fail_cause_ = cause;
  }
}

void session_core::fail(std::string error, close_cause cause) noexcept {
  bool notify = false;
  const bool only_log = on_failure_ == failure_policy::log && cause != close_cause::escalated;
  if (only_log) {
    log(error);
  } else {
    std::lock_guard guard{lock_};
    treat_failure(std::move(error), cause);
    notify = failing_ && is_open();
  }
  if (notify)
    wake();
}

void session_core::note_error(std::string error) noexcept {
  std::lock_guard guard{lock_};
  add_error(std::move(error));
  dirty_ = true;
}

void session_core::supervisor_lost(std::string error, time_point now) noexcept {
  {
    std::lock_guard guard{lock_};
    if (state() == session_state::closed)
      return;
    add_error(std::move(error));
    failed_ = true;
    if (cancel_wanted_ == close_cause::none)
      cancel_wanted_ = close_cause::escalated;
    begin_close(close_cause::escalated, now, budget_, {});
  }
  wake();
}

// -- closing ------------------------------------------------------------------

void session_core::enter(session_state next, time_point now) noexcept {
  assert(next > state());
  entered_[static_cast<std::size_t>(next)] = now;
  state_.store(next, std::memory_order_release);
}

bool session_core::opened(time_point now) noexcept {
  std::lock_guard guard{lock_};
  if (state() != session_state::starting)
    return false;
  enter(session_state::open, now);
  return true;
}

// Draining and grace may use half of the budget, cancelling half of what then is left, killing the rest.
void session_core::begin_close(close_cause cause, time_point now, duration budget,
                               std::optional<time_point> limit) noexcept {
  if (!is_open())
    return;
  enter(session_state::draining, now);
  cause_.store(cause, std::memory_order_release);
  total_end_ = now + clamp_duration(budget);
  if (limit && *limit < total_end_)
    total_end_ = std::max(*limit, now);
  grace_end_ = now + std::min(grace_, (total_end_ - now) / 2);
  cancel_end_ = grace_end_ + (total_end_ - grace_end_) / 2;
}

void session_core::limit_to(time_point limit, time_point now) noexcept {
  total_end_ = std::min(total_end_, std::max(limit, now));
  grace_end_ = std::min(grace_end_, now + (total_end_ - now) / 2);
  auto from = std::max(grace_end_, now);
  cancel_end_ = std::min(cancel_end_, from + (total_end_ - from) / 2);
  kill_end_ = std::min(kill_end_, total_end_);
}

void session_core::refuse(time_point now) noexcept {
  std::lock_guard guard{lock_};
  cause_.store(close_cause::parent_closed, std::memory_order_release);
  enter(session_state::closed, now);
}

void session_core::request_close(close_cause cause, time_point now, std::optional<duration> budget,
                                 std::optional<time_point> limit) noexcept {
  {
    std::lock_guard guard{lock_};
    if (state() == session_state::closed)
      return;
    if (is_open())
      begin_close(cause, now, budget.value_or(budget_), limit);
    else if (budget || limit)
      limit_to(std::min(limit.value_or(time_point::max()), now + clamp_duration(budget.value_or(duration_limit))), now);
  }
  wake();
}

void session_core::request_cancel(close_cause cause, time_point now) noexcept {
  {
    std::lock_guard guard{lock_};
    if (state() == session_state::closed || cancel_wanted_ != close_cause::none)
      return;
    cancel_wanted_ = cause;
    begin_close(cause, now, budget_, {});
  }
  wake();
}

void session_core::force(session_state least, time_point now, time_point limit) noexcept {
  {
    std::lock_guard guard{lock_};
    if (state() == session_state::closed)
      return;
    begin_close(close_cause::parent_closed, now, budget_, limit);
    total_end_ = std::min(total_end_, std::max(limit, now));
    grace_end_ = std::min(grace_end_, now);
    auto half = least >= session_state::killing ? now : now + (total_end_ - now) / 2;
    cancel_end_ = std::min(cancel_end_, half);
    if (state() == session_state::killing)
      kill_end_ = std::min(kill_end_, total_end_);
    forced_ = true;
  }
  wake();
}

} // namespace troupe
