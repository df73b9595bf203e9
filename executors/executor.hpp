// Executors: CAF actors that hand tasks straight to a lane of the dispatcher.
#pragma once
#include "actors/caf_compat.hpp"
#include "actors/caf_runtime.hpp"
#include "actors/task.hpp"
#include <algorithm>
#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <functional>
#include <memory>
#include <string>
#include <variant>

namespace troupe {

/// What an executor needs of the system around it; shared by all executors of a system, which it outlives.
struct executor_environment {
  caf_host& host;
  /// Owns tasks that are spawned outside of any task and any session: the root session.
  task_owner& default_owner;
  /// Takes one line for the operator.
  std::function<void(const std::string&)> log;
  /// Takes a bug in the program that Troupe has noticed (work on the wrong thread). May not return.
  std::function<void(const std::string&)> bug;
  /// Tells all tasks of a crashed executor; see task_record::executor_crashed.
  std::function<void(const task_sink&)> executor_crashed = {};
};

/// How an executor is set up.
struct executor_options {
  std::string name = {};
  platform::lane where = platform::background_lane;
  /// Tasks that may wait for their first step; further ones are rejected with `errc::queue_full`. 0: no bound.
  std::size_t queue_bound = 0;
};

/// Work for an executor as a message: any CAF actor may send it to `executor::address()`. It runs as a task of the
/// system's root session. Sent as a request, it is answered with an empty message once the work has ended, or with an
/// error if the executor refused it or the work threw.
struct job {
  std::function<void()> work;
  label name = {};
};

/// When a timer task ended.
struct elapsed {
  platform::time_point due;
  platform::time_point at; ///< Never before `due`.
};

/// Runs tasks in one lane. A CAF actor stands for it: it can be addressed, monitored and asked to exit (after which it
/// refuses new tasks with `errc::executor_down`; those that it accepted still run). It has no mailbox of its own: what
/// is enqueued goes straight to the lane. Thread safety: all members.
class executor : public task_sink {
public:
  executor(executor_environment& environment, executor_options options);
  virtual ~executor();
  executor(const executor&) = delete;
  executor& operator=(const executor&) = delete;

  /// Spawns `work` here as a task of the running task's session, or of the root session outside of any task.
  template <class F>
  [[nodiscard]] task<detail::task_value_t<F>> spawn(F&& work, spawn_options options = {},
                                                    source_location where = source_location::current()) {
    return spawn_on(present_owner(), *this, options, where, std::forward<F>(work));
  }
  /// The same with a label.
  template <class F>
  [[nodiscard]] task<detail::task_value_t<F>> spawn_labeled(label name, F&& work,
                                                            source_location where = source_location::current()) {
    return spawn(std::forward<F>(work), {.name = std::move(name)}, where);
  }
  /// A task that ends once `delay` (>= 0) has passed. Cancelling it withdraws the timer: its outcome then is a
  /// cancellation, never `elapsed`.
  [[nodiscard]] task<elapsed> timer(platform::duration delay, source_location where = source_location::current());

  /// Waits for the task's end: on the main thread the foreground lane runs meanwhile, in the simulator events do, any
  /// other thread blocks. If waiting can never end, the outcome is `errc::would_deadlock`: a task that waits for
  /// itself, or nothing left to run in the simulator.
  template <class T>
  outcome<T> block_on(task<T> awaited) {
    if (auto error = wait_settled(*awaited.cell(), std::nullopt))
      return outcome<T>::of_error(error);
    return std::move(*awaited.cell()->result);
  }
  /// The same for at most `timeout`; then the task is handed back, unharmed.
  template <class T>
  std::variant<outcome<T>, task<T>> block_on(task<T> awaited, platform::duration timeout) {
    if (wait_settled(*awaited.cell(), dispatcher().now() + timeout))
      return awaited;
    return std::move(*awaited.cell()->result);
  }

  /// What runs the tasks has failed, as whoever finds it stuck may say. Those that have begun settle `lost` at once:
  /// they may have run, and their code may run on. Those that wait for their first step are dispatched again, once: in
  /// a second crash they settle `lost` with `errc::executor_down`, and have not run. The actor ends with `reason`, and
  /// another one takes its place, with an address of its own. Nothing, once it is closed.
  void crash(const caf::error& reason);

  /// The executor as a CAF actor.
  caf::actor address() const;
  platform::lane where() const noexcept { return options_.where; }
  /// Tasks that wait for their first step; counted only if there is a bound.
  std::size_t queued() const noexcept { return static_cast<std::size_t>(std::max<std::ptrdiff_t>(queued_.load(), 0)); }
  /// Refuses new tasks from now on, and ends the actor: its monitors hear of it.
  virtual void close() noexcept;
  /// Refuses new tasks from now on.
  void refuse_new_tasks() noexcept { closed_.store(true, std::memory_order_release); }

  // -- task_sink --
  std::error_code submit(task_base& task) noexcept override;
  std::error_code resubmit(task_base& task) noexcept override;
  void left_queue(task_base& task) noexcept override;
  bool is_thread_bound() const noexcept override { return options_.where != platform::background_lane; }
  bool is_here() const noexcept override {
    return options_.where == platform::foreground_lane ? dispatcher().is_main_thread()
                                                       : dispatcher().is_on(options_.where);
  }
  bool may_destroy_here() const noexcept override {
    return options_.where != platform::foreground_lane || dispatcher().is_main_thread();
  }
  void wrong_thread(const task_base& task, const char* what) noexcept override;
  void log(const std::string& line) noexcept override;
  const char* name() const noexcept override { return options_.name.c_str(); }
  platform::dispatcher& dispatcher() const noexcept override { return environment_.host.dispatcher(); }
  caf::actor_system& caf() const noexcept override { return environment_.host.caf(); }

protected:
  executor_environment& environment() const noexcept { return environment_; }

private:
  task_owner& present_owner() const noexcept;
  std::error_code wait_settled(task_base& awaited, std::optional<platform::time_point> deadline);

  executor_environment& environment_;
  executor_options options_;
  std::atomic<std::ptrdiff_t> queued_ = 0;
  std::atomic<bool> closed_ = false;
  struct face;
  std::unique_ptr<face> face_;
};

/// Any thread of the pool; concurrent.
class background_executor final : public executor {
public:
  explicit background_executor(executor_environment& environment, std::size_t queue_bound = 0);
};

/// The main thread; serial. A task never leaves it: one that is resumed or destroyed elsewhere is reported as a bug
/// with its spawn site.
class foreground_executor final : public executor {
public:
  explicit foreground_executor(executor_environment& environment, std::size_t queue_bound = 0);
};

/// A thread of its own; serial. Closing it refuses new tasks, lets those in its queue run, and ends the thread; the
/// object must outlive its tasks, so its system keeps it.
class dedicated_executor final : public executor {
public:
  /// @param lane Opened by the caller with `dispatcher::open_lane`.
  dedicated_executor(executor_environment& environment, std::string name, platform::lane lane,
                     std::size_t queue_bound = 0);
  ~dedicated_executor() override;
  void close() noexcept override;
};

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::job)
TROUPE_BEGIN_MESSAGES(troupe_executors, 1000);
TROUPE_MESSAGE(troupe_executors, (troupe::job));
TROUPE_END_MESSAGES(troupe_executors);
