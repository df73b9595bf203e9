// What a session remembers of one task: the CAF-free record that the session's state machine keeps.
#pragma once
#include "actors/errors.hpp"
#include "actors/ids.hpp"
#include "platform/dispatcher.hpp"
#include "platform/priority.hpp"
#include "platform/source_location.hpp"
#include <atomic>
#include <cstdint>
#include <exception>
#include <string>

namespace troupe {

/// What a session's shutdown does with a task.
enum class task_kind : std::uint8_t {
  scoped,     ///< Settled before the session closes.
  wait_until, ///< Started at once, never delays a response, shielded from cancellation until the grace budget ends.
  daemon,     ///< Cancelled first; never dangling.
};
const char* to_string(task_kind kind) noexcept;

/// The life of a task. Everything from `done_ok` on is terminal.
enum class task_state : std::uint8_t {
  queued,     ///< Accepted by its session, not yet taken by an executor.
  dispatched, ///< In its executor's lane; no step has run.
  running,    ///< A step has started; it may be suspended in a co_await.
  done_ok,
  done_error,
  done_cancelled,
  rejected,  ///< Refused; it never ran.
  lost,      ///< Its executor went away; it may have run.
  abandoned, ///< Shutdown gave up on it while it ran; a late result is dropped.
};
const char* to_string(task_state state) noexcept;
constexpr bool is_terminal(task_state state) noexcept { return state >= task_state::done_ok; }

/// What a suspended task waits for.
enum class wait_kind : std::uint8_t { none, turn, timer, task, reply, session, custom };

/// What keeps a task alive, as told by the task itself when it suspends.
struct wait_info {
  wait_kind kind = wait_kind::none;
  task_id awaited = {};            ///< For `task`.
  session_id awaited_session = {}; ///< For `session`.
  std::uint64_t receiver = 0;      ///< For `reply`: the id of the actor that was asked.
  platform::time_point due = {};   ///< For `timer`, and for `reply` with a timeout.
  bool has_due = false;
  const char* what = ""; ///< A word for `custom`; static storage.
};

class task_record;
class task_sink;

/// Whoever owns tasks: a session's core. Thread safety: all members.
class task_owner {
public:
  /// Takes note that `task` reached the terminal state `outcome` (whose error, if any, is `error`), and forgets it.
  /// Tells the task so with `mark_settled` before anybody else can see that it is forgotten. Called by whoever settles
  /// it, with no lock of the task held. @returns false, without any effect, if the task is not (any more, or not yet)
  /// this owner's: it is just being handed over, and the caller asks its new owner.
  [[nodiscard]] virtual bool settled(task_record& task, task_state outcome,
                                     const std::exception_ptr& error) noexcept = 0;

  /// Takes over a task that another owner has given up with `disown`; it keeps its id.
  /// @returns `errc::session_closed` if the session's state accepts no such task; the record is then untouched.
  [[nodiscard]] virtual std::error_code adopt(task_record& task) noexcept = 0;

  /// Gives up a task that lives on with another owner. @returns false if it is not this owner's.
  [[nodiscard]] virtual bool disown(task_record& task) noexcept = 0;

  /// Counts a result that came after its task was settled otherwise (abandoned, lost), or from an old generation.
  virtual void stale_completion(const task_record& task) noexcept = 0;

  /// Admits `task`: gives it its id and remembers it until it is settled.
  /// @returns `errc::session_closed` if the session's state accepts no such task; the record is then untouched.
  [[nodiscard]] virtual std::error_code admit(task_record& task) noexcept = 0;

  virtual session_id id() const noexcept = 0;
  virtual void add_ref() noexcept = 0;
  virtual void release() noexcept = 0;

protected:
  ~task_owner() = default;
};

/// One task as its owner sees it. The public fields are written before admission and constant afterwards, except where
/// a comment says otherwise.
class task_record {
public:
  task_record(const task_record&) = delete;
  task_record& operator=(const task_record&) = delete;

  task_id id = {}; ///< Written by `task_owner::admit`.
  task_kind kind = task_kind::scoped;
  priority urgency = priority::normal;
  bool internal = false; ///< Troupe's own helper: named in traces, never counted as the user's work.
  /// May go on with others of its kind that are marked so: while one of them is unsettled, a closing session admits
  /// more. Once accepted it runs, also after a cancellation. (What another library completes is never taken back.)
  bool continues = false;
  std::uint32_t generation = 0; ///< Counts restarts of a supervised child task.
  label name;
  source_location where;
  const char* executor_name = ""; ///< Static or outliving the task.
  task_id parent = {};            ///< The task that spawned it, if any.
  platform::time_point spawned_at = {};

  /// The owner's list; guarded by the owner's lock.
  task_record* owner_previous = nullptr;
  task_record* owner_next = nullptr;

  virtual task_state state() const noexcept = 0;
  /// What it waits for now. Safe from any thread; a snapshot.
  virtual wait_info waiting() const noexcept = 0;
  /// When its last event (spawn, step, wake) happened.
  virtual platform::time_point last_event() const noexcept = 0;
  /// Requests cancellation; sticky, idempotent. `force` also reaches a shielded wait_until task.
  virtual void request_cancel(close_cause cause, bool force) noexcept = 0;
  /// Gives up on the task: settles it `abandoned` unless it is terminal. A later result is dropped and counted.
  virtual void abandon() noexcept = 0;
  /// The executor that its steps go to; null if it has no steps.
  virtual const task_sink* runs_on() const noexcept { return nullptr; }
  /// That executor has crashed. What has begun is settled `lost`, as it may have run (`errc::task_lost`). What waits
  /// for its first step is dispatched again, once: the second time it is settled `lost`, too, and has not run
  /// (`errc::executor_down`).
  virtual void executor_crashed() noexcept {}
  /// Has `state` say so; by its owner, inside `task_owner::settled`. Nothing where it says so before that.
  virtual void mark_settled(task_state) noexcept {}
  virtual void add_ref() noexcept = 0;
  virtual void release() noexcept = 0;

protected:
  task_record() = default;
  ~task_record() = default;
};

} // namespace troupe
