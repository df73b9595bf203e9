// Work of a session that goes on outside of any task: an operation of another library, until its last holder lets go.
#pragma once
#include "actors/task_base.hpp"
#include "platform/spin_lock.hpp"
#include "sessions/session_node.hpp"
#include <atomic>
#include <functional>

namespace troupe {

/// What `pending_work` is called in its session, and what its end means.
struct pending_work_options {
  task_kind kind = task_kind::scoped;
  label name = {};
  bool internal = false;
  const char* what = ""; ///< Keeps it alive, as a report says it; static storage.
};

/// A piece of a session's work that has no code of its own: it is unsettled as long as somebody holds it. Cancellation
/// is passed on to whoever listens. For executors and operations; thread safety: all members.
class pending_work final : public task_record {
public:
  /// @returns one that is held once, or null: the session takes no such work any more.
  static pending_work* start(session_node& owner, task_sink& sink, const pending_work_options& options,
                             source_location where);

  void hold() noexcept { holders_.fetch_add(1, std::memory_order_relaxed); }
  /// The last one to let go settles it.
  void let_go() noexcept;

  /// `told` is called once, when cancellation reaches this work or at once if it has, and dropped when the work has
  /// settled. It is called from any thread and must not throw. Replaces the listener that was there; null for none.
  void on_cancel(std::function<void()> told);
  close_cause cancel_cause() const noexcept { return cause_.load(std::memory_order_relaxed); }

  // -- task_record --
  task_state state() const noexcept override { return state_.load(std::memory_order_acquire); }
  wait_info waiting() const noexcept override { return {.kind = wait_kind::custom, .what = what_}; }
  platform::time_point last_event() const noexcept override { return spawned_at; }
  void request_cancel(close_cause cause, bool force) noexcept override;
  void abandon() noexcept override;
  void add_ref() noexcept override { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept override;

private:
  pending_work(session_node& owner, const char* what) noexcept : owner_(owner), what_(what) {}
  ~pending_work() = default;
  void settle(task_state how) noexcept;

  session_node& owner_; // touched until settlement only; until then it is there, since it has unsettled work
  const char* what_;
  std::atomic<std::uint32_t> holders_ = 1;
  std::atomic<std::uint32_t> references_ = 2; // the owner's, and one for all holders
  std::atomic<task_state> state_ = task_state::running;
  std::atomic<close_cause> cause_ = close_cause::none;
  spin_lock lock_;
  bool is_cancelled_ = false; // guarded by lock_, like the next one
  std::function<void()> told_;
};

} // namespace troupe
