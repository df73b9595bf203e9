// What can go wrong with a task or a session, as values and as the exceptions that a co_await throws.
#pragma once
#include "actors/ids.hpp"
#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>

namespace troupe {

/// Errors of tasks, executors and sessions, each with something different for the caller to do.
enum class errc {
  session_closed = 1, ///< The session accepts no new work in its present state.
  queue_full,         ///< The executor's queue is at its bound; try later or elsewhere.
  executor_down,      ///< The executor has stopped, or crashed; the task has not run.
  task_cancelled,     ///< The task was cancelled before it ended.
  task_rejected,      ///< The task was refused and never ran.
  task_lost,          ///< The task's executor went away; it may have run.
  task_abandoned,     ///< Shutdown gave up on the running task; its result is dropped.
  ask_timeout,        ///< No reply came in time.
  ask_failed,         ///< The receiver is down or answered with an error.
  wrong_thread,       ///< Thread-bound work was touched from another thread.
  would_deadlock,     ///< Waiting here can never end.
  timed_out,          ///< The deadline passed.
  not_clean,          ///< A session's cleanup report names survivors.
  unknown_session,    ///< No such session is open.
  unknown_task,       ///< No such task is unsettled.
  invalid_argument,   ///< The call's arguments contradict its documentation.
};
const std::error_category& troupe_category() noexcept;
/// Lets an errc be used as a std::error_code.
std::error_code make_error_code(errc code) noexcept;

/// Why something was cancelled or closed: sticky, handed from parents to children.
enum class close_cause : std::uint8_t {
  none,              ///< Not closed yet.
  completed,         ///< Its owner closed it after its work.
  cancelled,         ///< Somebody asked for cancellation.
  deadline_exceeded, ///< Its deadline passed.
  parent_closed,     ///< Its parent session closes.
  task_failed,       ///< A task failed under the `fail_session` policy.
  escalated,         ///< A supervised child exceeded its restart intensity.
  handle_dropped,    ///< The task's undetached handle was dropped.
  system_stopping,   ///< The system shuts down.
};
const char* to_string(close_cause cause) noexcept;

/// Thrown out of a co_await inside a cancelled task, and by co_await on a cancelled task.
class task_cancelled : public std::exception {
public:
  explicit task_cancelled(close_cause cause) noexcept : cause_(cause) {}
  close_cause cause() const noexcept { return cause_; }
  const char* what() const noexcept override { return "the task was cancelled"; }

private:
  close_cause cause_;
};

/// Thrown by co_await on a task that settled without a value and without an exception of its own (`rejected`, `lost`,
/// `abandoned`).
class task_error : public std::system_error {
public:
  task_error(std::error_code code, task_id id) : std::system_error(code, to_string(id)), id_(id) {}
  task_id id() const noexcept { return id_; }

private:
  task_id id_;
};

/// One line for an exception of any type.
std::string describe(const std::exception_ptr& error);

} // namespace troupe

template <>
struct std::is_error_code_enum<troupe::errc> : std::true_type {};
