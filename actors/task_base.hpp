// The life of a task, whatever its result type: steps, suspension, cancellation and settlement.
#pragma once
#include "actors/task_memory.hpp"
#include "actors/task_record.hpp"
#include "platform/dispatcher.hpp"
#include "platform/spin_lock.hpp"
#include <caf/fwd.hpp>
#include <coroutine>
#include <memory>
#include <new>
#include <stop_token>

namespace troupe {

class task_base;

/// Where the steps of a task go: an executor. It outlives its tasks (its host keeps it). Thread safety: all members.
class task_sink {
public:
  /// Queues the first step. @returns `queue_full` or `executor_down`; the task then is the caller's to settle.
  [[nodiscard]] virtual std::error_code submit(task_base& task) noexcept = 0;
  /// Queues a later step; never refused for a full queue.
  [[nodiscard]] virtual std::error_code resubmit(task_base& task) noexcept = 0;
  /// A task that `submit` accepted leaves the queue: its first step starts, or it was settled before.
  virtual void left_queue(task_base& task) noexcept = 0;
  /// Whether tasks may be resumed and destroyed only where `is_here` is true.
  virtual bool is_thread_bound() const noexcept = 0;
  virtual bool is_here() const noexcept = 0;
  /// Whether the calling thread may destroy a task that has started. The main thread's tasks are destroyed there; for
  /// other threads a dispatcher that stops may drop what they have not run.
  virtual bool may_destroy_here() const noexcept { return true; }
  /// A thread-bound task was resumed or destroyed elsewhere: a bug in the program. May not return.
  virtual void wrong_thread(const task_base& task, const char* what) noexcept = 0;
  /// One line for the operator.
  virtual void log(const std::string& line) noexcept = 0;
  virtual const char* name() const noexcept = 0;
  virtual platform::dispatcher& dispatcher() const noexcept = 0;
  /// The actor system in which its tasks have their addresses.
  virtual caf::actor_system& caf() const noexcept = 0;

protected:
  ~task_sink() = default;
};

/// Somebody who waits for a task to settle. A node of the task's list; the waiter owns the storage.
struct task_waiter {
  task_base* task = nullptr; ///< To be woken with `ticket`, if set.
  std::uint64_t ticket = 0;
  void (*notify)(void*) noexcept = nullptr; ///< Else called, under the lock of the awaited task.
  void* context = nullptr;
  task_waiter* next = nullptr;
};

/// Kept by a task for whatever it needs again and again (its address as a CAF sender).
class task_attachment {
public:
  virtual ~task_attachment() = default;
};

/// Base of all tasks. References: one by the owner until settlement, one by the handle, one by each queued step.
class task_base : public task_record, public platform::runnable {
public:
  // -- as seen by its owner --
  task_state state() const noexcept final;
  wait_info waiting() const noexcept final;
  platform::time_point last_event() const noexcept final;
  void request_cancel(close_cause cause, bool force) noexcept final;
  void abandon() noexcept final;
  const task_sink* runs_on() const noexcept final { return sink_; }
  void executor_crashed() noexcept final;
  void mark_settled(task_state how) noexcept final;
  void add_ref() noexcept final { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept final { release(1); }

  static void* operator new(std::size_t size) { return detail::allocate_task(size); }
  static void operator delete(void* block, std::size_t size) noexcept { detail::free_task(block, size); }
  static void* operator new(std::size_t size, std::align_val_t alignment) { return ::operator new(size, alignment); }
  static void operator delete(void* block, std::size_t, std::align_val_t alignment) noexcept {
    ::operator delete(block, alignment);
  }

  // -- as seen by the dispatcher --
  void run() noexcept final;
  void drop() noexcept final;
  bool lose() noexcept final;
  platform::runnable_info info() const noexcept final;

  // -- as seen by the task itself, inside a step --
  /// Takes note that the running step is about to suspend at `resume_point` for `why`. The returned ticket wakes it.
  /// Until `commit`, nobody else resumes the task: a wake is only remembered.
  std::uint64_t suspend_at(std::coroutine_handle<> resume_point, const wait_info& why) noexcept;
  /// Completes the suspension. @returns false if it was woken meanwhile, and the step simply goes on. After true the
  /// coroutine may already run elsewhere.
  bool commit(std::uint64_t ticket) noexcept;
  /// Queues the next step, if `ticket` still names the present suspension. Any thread.
  bool wake(std::uint64_t ticket) noexcept;
  /// Takes note that the running step awaits something that Troupe knows nothing of, for reports.
  void note_foreign_wait() noexcept;
  /// Whether cancellation has reached the task (for a shielded one: only once its shield is gone).
  bool is_cancelled() const noexcept { return cancel_.load(std::memory_order_seq_cst) >= cancel_delivered; }
  close_cause cause() const noexcept { return cause_.load(std::memory_order_relaxed); }
  /// A token that is stopped when the task is cancelled.
  std::stop_token stop_token();
  task_attachment* attachment() const noexcept { return attachment_.get(); }
  void attach(std::unique_ptr<task_attachment> what) noexcept { attachment_ = std::move(what); }

  // -- as seen by its executor --
  enum queue_slot : std::uint8_t { slot_none, slot_counted, slot_left };
  /// For a bounded executor's own use: whether the task occupies a place in its queue.
  std::atomic<queue_slot> slot = slot_none;

  // -- as seen by others --
  /// Registers a waiter. @returns false if the task is settled already; the waiter is then not registered.
  bool add_waiter(task_waiter& waiter) noexcept;
  /// After it returns nobody touches the waiter any more.
  void remove_waiter(task_waiter& waiter) noexcept;
  bool is_settled() const noexcept { return phase_.load(std::memory_order_acquire) >= phase_first_terminal; }
  task_owner& owner() const noexcept { return *owner_.load(std::memory_order_acquire); }
  task_sink& sink() const noexcept { return *sink_; }
  /// The undetached handle was dropped: cancels scoped tasks; wait_until and daemon tasks go on.
  void handle_dropped() noexcept;
  /// If the task fails, one line goes to the executor's log.
  void log_failure() noexcept;
  /// Hands the task to another owner. @returns `session_closed` if that one takes no more work.
  std::error_code change_owner(task_owner& next) noexcept;
  /// Reports a bug if this task is bound to a thread and the caller is on another.
  void check_thread(const char* what) const noexcept {
    if (thread_bound_ && !sink_->is_here())
      sink_->wrong_thread(*this, what);
  }

  /// The task whose step the calling thread runs now, or null.
  static task_base* current() noexcept;
  /// Called by the outermost coroutine of the running step when it has ended.
  static void mark_coroutine_done() noexcept;
  static bool coroutine_done() noexcept;

  /// Admits the task, then queues its first step. Afterwards the caller holds one reference, the handle's.
  /// On refusal the task is settled `rejected` with that error.
  void start(task_owner& owner, task_sink& sink) noexcept;

protected:
  task_base() = default;
  virtual ~task_base();

  enum class step_result { ended, suspended };
  /// Runs the closure or resumes the coroutine for the first time.
  virtual step_result first_step() noexcept = 0;
  /// Resumes the coroutine at its innermost suspension.
  virtual step_result next_step(std::coroutine_handle<> resume_point) noexcept = 0;
  /// Destroys the closure and the coroutine. Idempotent. @returns what a destructor threw.
  virtual std::exception_ptr destroy_work() noexcept = 0;
  /// Stores how a task ended that ended without a result of its own.
  virtual void store_cancelled(close_cause cause) noexcept = 0;
  virtual void store_error(std::error_code code) noexcept = 0;
  virtual void store_exception(std::exception_ptr error) noexcept = 0;
  /// Claims the right to store the result of the work, which has ended. @returns false if the task was abandoned.
  bool claim_end() noexcept;
  /// Makes it a task that was settled from the start: it has no owner and no sink.
  void settle_ready() noexcept;
  /// The outcome that the work has left, once `ended`.
  virtual task_state ended_as(std::exception_ptr& error) noexcept = 0;

private:
  enum phase : std::uint8_t {
    phase_queued,
    phase_dispatched,
    phase_running,
    phase_settling,           // a settler has claimed it; the result is being written
    phase_settling_abandoned, // the same, while its last step may still run
    phase_first_terminal,     // from here on as in task_state
  };
  static constexpr phase phase_of(task_state terminal) noexcept {
    return static_cast<phase>(phase_first_terminal + static_cast<int>(terminal) -
                              static_cast<int>(task_state::done_ok));
  }
  enum wait_phase : std::uint64_t { wait_idle, wait_arming, wait_armed, wait_woken };
  enum cancel_state : std::uint8_t { cancel_none, cancel_shielded, cancel_delivered };

  /// Takes over a suspension that nobody has woken, so that nobody will.
  bool claim_suspension() noexcept;
  void deliver_cancel() noexcept;
  /// Settles a task that has begun, whose code may still run. @returns false if it has not begun, or has ended
  bool give_up(task_state how, errc why) noexcept;
  bool settle_unstarted(phase from, task_state how, std::error_code code) noexcept;
  /// @returns how many references the step has to release: the queue's, and the owner's if that settled the task; none
  /// if the settlement is queued.
  [[nodiscard]] std::uint32_t finish_step() noexcept;
  /// Settles as the work has ended. Afterwards the owner's reference is the caller's to release.
  void settle_ended() noexcept;
  /// Afterwards the owner's reference is the caller's to release.
  void settle(task_state how, const std::exception_ptr& error) noexcept;
  void release(std::uint32_t references) noexcept;
  void wake_waiters() noexcept;
  void release_abandoning_owner(bool late_result) noexcept;

  std::atomic<std::uint32_t> references_ = 3; // the owner's, the handle's and the queue's
  std::atomic<phase> phase_ = phase_queued;
  std::atomic<cancel_state> cancel_ = cancel_none;
  std::atomic<close_cause> cause_ = close_cause::none;
  bool thread_bound_ = false;
  bool abandoned_waiting_ = false; // not in a step; written before it is abandoned
  bool loses_first_step_ = false;  // it is lost as soon as it has begun
  bool settlement_queued_ = false; // its work has ended; written before the queueing, read by the step that settles
  std::atomic<bool> log_failure_ = false;
  std::atomic<bool> dispatched_again_ = false; // its executor has crashed before it began
  std::atomic<std::uint64_t> wait_ = 0;        // (ticket << 2) | wait_phase
  std::atomic<task_owner*> owner_ = nullptr;
  std::atomic<task_owner*> abandoning_owner_ = nullptr; // referenced until the late result has come
  task_sink* sink_ = nullptr;
  std::coroutine_handle<> resume_point_;
  mutable spin_lock lock_;
  std::atomic<bool> had_waiters_ = false;         // written under lock_
  task_waiter* waiters_ = nullptr;                // guarded by lock_
  wait_info wait_info_;                           // guarded by lock_
  platform::time_point last_event_ = {};          // guarded by lock_
  std::unique_ptr<std::stop_source> stop_source_; // guarded by lock_
  std::unique_ptr<task_attachment> attachment_;
};

} // namespace troupe
