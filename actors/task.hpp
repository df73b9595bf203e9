// The handle of a task, and how a callable becomes one.
#pragma once
#include "actors/async.hpp"
#include "actors/outcome.hpp"
#include "actors/task_base.hpp"
#include <cassert>
#include <cstddef>
#include <new>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace troupe {

class executor;

/// How to spawn a task.
struct spawn_options {
  task_kind kind = task_kind::scoped;  ///< What its session's shutdown does with it.
  executor* on = nullptr;              ///< Where it runs; null: the system's background executor.
  priority urgency = priority::normal; ///< Its weight within that executor's lane.
  label name = {};                     ///< For logs, reports and tests.
};

/// The running task's view of itself. Valid only inside the task.
class task_context {
public:
  explicit task_context(task_base& task) noexcept : task_(&task) {}
  task_id id() const noexcept { return task_->id; }
  troupe::session_id session_id() const noexcept { return task_->owner().id(); }
  /// Whether cancellation has reached the task; a `wait_until` task is shielded until its session's grace ends.
  bool cancelled() const noexcept { return task_->is_cancelled(); }
  close_cause cause() const noexcept { return task_->cause(); }
  /// Stopped when the task is cancelled. The first call allocates.
  std::stop_token stop_token() const { return task_->stop_token(); }

private:
  task_base* task_;
};

/// The context of the task that the calling thread runs now, if any.
inline std::optional<task_context> current_task() noexcept {
  if (auto* task = task_base::current())
    return task_context{*task};
  return std::nullopt;
}

namespace detail {

/// A task whose result type is known.
template <class T>
class task_cell : public task_base {
public:
  /// Written by whoever settles the task; read by others once it is settled.
  std::optional<outcome<T>> result;

protected:
  void store_cancelled(close_cause cause) noexcept final { result = outcome<T>::of_cancellation(cause); }
  void store_error(std::error_code code) noexcept final { result = outcome<T>::of_error(code); }
  void store_exception(std::exception_ptr error) noexcept final { result = outcome<T>::of_exception(std::move(error)); }
  task_state ended_as(std::exception_ptr& error) noexcept final {
    if (result->has_value())
      return task_state::done_ok;
    if (result->is_cancelled())
      return task_state::done_cancelled;
    error = result->exception();
    return task_state::done_error;
  }
};

template <class T>
struct is_async : std::false_type {};
template <class T>
struct is_async<async<T>> : std::true_type {};

template <class F>
decltype(auto) invoke_task(F& work, task_base& task) {
  if constexpr (std::is_invocable_v<F&, task_context&>) {
    task_context context{task};
    return work(context);
  } else if constexpr (std::is_invocable_v<F&, std::stop_token>) {
    return work(task.stop_token());
  } else {
    static_assert(std::is_invocable_v<F&>,
                  "a task is spawned from a callable that takes nothing, a task_context&, or a "
                  "std::stop_token");
    return work();
  }
}

template <class F>
using invoked_t = std::decay_t<decltype(invoke_task(std::declval<F&>(), std::declval<task_base&>()))>;

template <class R>
struct task_value {
  using type = R;
};
template <class T>
struct task_value<async<T>> {
  using type = T;
};
template <class F>
using task_value_t = typename task_value<invoked_t<std::decay_t<F>>>::type;

/// Storage for a `T` whose destructor may throw: unlike std::optional it lets the exception out.
template <class T>
class destructible {
public:
  destructible() = default;
  destructible(const destructible&) = delete;
  destructible& operator=(const destructible&) = delete;
  template <class... Args>
  T& emplace(Args&&... args) {
    auto* object = new (&storage_) T(std::forward<Args>(args)...);
    alive_ = true;
    return *object;
  }
  T& operator*() noexcept { return *std::launder(reinterpret_cast<T*>(&storage_)); }
  void reset() {
    if (std::exchange(alive_, false))
      (**this).~T();
  }

private:
  alignas(T) std::byte storage_[sizeof(T)];
  bool alive_ = false;
};

/// The task of a callable: runs it, or starts and resumes the coroutine that it returns.
template <class F>
class spawned_task final : public task_cell<task_value_t<F>> {
  using value = task_value_t<F>;
  static constexpr bool is_coroutine = is_async<invoked_t<F>>::value;

public:
  template <class G>
  explicit spawned_task(G&& work) {
    work_.emplace(std::forward<G>(work));
  }
  ~spawned_task() override { destroy_work(); }

protected:
  task_base::step_result first_step() noexcept override {
    if (this->is_cancelled()) {
      if (this->claim_end())
        this->store_cancelled(this->cause());
      return task_base::step_result::ended;
    }
    return guarded([&] {
      if constexpr (is_coroutine) {
        coroutine_ = invoke_task(*work_, *this).release_to(*this);
        coroutine_.resume();
        return after_resume();
      } else if constexpr (std::is_void_v<value>) {
        invoke_task(*work_, *this);
        if (this->claim_end())
          this->result = outcome<void>::of_value({});
        return task_base::step_result::ended;
      } else {
        auto produced = invoke_task(*work_, *this);
        if (this->claim_end())
          this->result = outcome<value>::of_value(std::move(produced));
        return task_base::step_result::ended;
      }
    });
  }

  task_base::step_result next_step(std::coroutine_handle<> resume_point) noexcept override {
    if constexpr (is_coroutine)
      return guarded([&] {
        resume_point.resume();
        return after_resume();
      });
    else
      return task_base::step_result::suspended; // unreachable: a plain closure has one step
  }

  std::exception_ptr destroy_work() noexcept override {
    // The coroutine may refer to the closure's captures, so it goes first.
    std::exception_ptr thrown;
    if constexpr (is_coroutine)
      try {
        if (coroutine_)
          std::exchange(coroutine_, {}).destroy();
      } catch (...) {
        thrown = std::current_exception();
      }
    try {
      work_.reset();
    } catch (...) {
      thrown = std::current_exception();
    }
    return thrown;
  }

private:
  template <class Step>
  task_base::step_result guarded(Step&& step) noexcept {
    try {
      return step();
    } catch (const task_cancelled& cancelled) {
      if (this->claim_end())
        this->store_cancelled(cancelled.cause());
    } catch (...) {
      if (this->claim_end())
        this->store_exception(std::current_exception());
    }
    return task_base::step_result::ended;
  }

  task_base::step_result after_resume() {
    // The coroutine's own memory is touched only if it has ended in this step: else it may already run elsewhere.
    if (!task_base::coroutine_done())
      return task_base::step_result::suspended;
    if constexpr (is_coroutine) {
      auto& promise = coroutine_.promise();
      if (promise.error)
        std::rethrow_exception(promise.error);
      if (this->claim_end()) {
        if constexpr (std::is_void_v<value>)
          this->result = outcome<void>::of_value({});
        else
          this->result = outcome<value>::of_value(promise.take());
      }
    }
    return task_base::step_result::ended;
  }

  struct nothing {};
  using coroutine =
      typename std::conditional_t<is_coroutine, std::type_identity<std::coroutine_handle<async_promise<value>>>,
                                  std::type_identity<nothing>>::type;
  destructible<F> work_;
  [[no_unique_address]] coroutine coroutine_;
};

} // namespace detail

/// The handle of a task: the only way to its result. Move-only; dropping an undetached handle cancels a scoped task
/// (`wait_until` and `daemon` tasks go on). An empty handle (moved from) allows only destruction and assignment.
/// Thread safety: one thread at a time per handle; the task itself may run anywhere.
template <class T = void>
class task {
public:
  using troupe_awaitable = void;
  task() = default;
  /// Takes over one reference. For implementations of spawn.
  explicit task(detail::task_cell<T>* cell) noexcept : cell_(cell) {}
  task(task&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
  task& operator=(task&& other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~task() {
    if (cell_) {
      cell_->handle_dropped();
      cell_->release();
    }
  }

  /// A task that is done: it holds `value` and belongs to no session.
  static task ready(typename outcome<T>::value_type value = {});

  bool valid() const noexcept { return cell_ != nullptr; }
  /// Whether the task is settled: it has a result, or will never have one.
  bool is_ready() const noexcept { return cell_->is_settled(); }
  /// Lets the task run on without a handle; its session still owns it.
  void detach() && noexcept { std::exchange(cell_, nullptr)->release(); }
  void detach() & noexcept { std::move(*this).detach(); }
  /// The same; if it fails, one line goes to the executor's log.
  void detach_and_log_err() noexcept {
    cell_->log_failure();
    detach();
  }
  /// Asks the task to end. A task that has not started settles at once; one that is suspended is resumed with
  /// task_cancelled; a running one sees its stop token. Only settlement proves the end.
  void cancel(close_cause cause = close_cause::cancelled) noexcept { cell_->request_cancel(cause, false); }

  task_id id() const noexcept { return cell_->id; }
  troupe::session_id session_id() const noexcept { return cell_->id.session; }
  troupe::label label() const { return cell_->name; }
  troupe::priority priority() const noexcept { return cell_->urgency; }
  source_location spawn_location() const noexcept { return cell_->where; }
  task_state state() const noexcept { return cell_->state(); }
  /// Why the task was refused, cancelled, lost or abandoned; no error while it is unsettled, after success, and after
  /// an exception.
  std::error_code error() const noexcept { return is_ready() ? cell_->result->error() : std::error_code{}; }
  /// How the task ended. @pre is_ready()
  const outcome<T>& peek() const noexcept {
    assert(is_ready());
    return *cell_->result;
  }
  /// Moves the result out, or throws what a co_await would. @pre is_ready()
  T take() {
    assert(is_ready());
    return cell_->result->take_or_throw(cell_->id);
  }

  class value_awaiter;
  class outcome_awaiter;
  /// Waits for the value. Throws the task's exception, task_cancelled, or task_error. The handle stays valid.
  value_awaiter operator co_await() noexcept { return value_awaiter{*cell_}; }
  /// Waits for the end as a value: `co_await t.fallible()` gives an outcome and throws only if the waiter is cancelled.
  outcome_awaiter fallible() noexcept { return outcome_awaiter{*cell_}; }

  /// For implementations: the task behind the handle.
  detail::task_cell<T>* cell() const noexcept { return cell_; }

private:
  class settled_awaiter : public suspension<settled_awaiter> {
  public:
    explicit settled_awaiter(detail::task_cell<T>& awaited) noexcept : awaited_(awaited) {}
    settled_awaiter(settled_awaiter&& unstarted) noexcept : awaited_(unstarted.awaited_) {}
    ~settled_awaiter() { awaited_.remove_waiter(waiter_); }
    bool await_ready() const noexcept { return awaited_.is_settled(); }
    wait_info why() const noexcept { return {.kind = wait_kind::task, .awaited = awaited_.id}; }
    void begin(task_base& task, std::uint64_t ticket) {
      waiter_.task = &task;
      waiter_.ticket = ticket;
      if (!awaited_.add_waiter(waiter_))
        task.wake(ticket);
    }

  protected:
    friend suspension<settled_awaiter>;
    void finish() {
      awaited_.remove_waiter(waiter_);
      if (!awaited_.is_settled())
        this->throw_if_cancelled();
    }
    detail::task_cell<T>& awaited_;
    task_waiter waiter_;
  };

  detail::task_cell<T>* cell_ = nullptr;

public:
  class value_awaiter : public settled_awaiter {
  public:
    using settled_awaiter::settled_awaiter;
    T await_resume() {
      this->finish();
      return this->awaited_.result->take_or_throw(this->awaited_.id);
    }
  };
  class outcome_awaiter : public settled_awaiter {
  public:
    using settled_awaiter::settled_awaiter;
    outcome<T> await_resume() {
      this->finish();
      return std::move(*this->awaited_.result);
    }
  };
};

namespace detail {
/// A task that never ran: it is settled from the start.
template <class T>
class ready_task final : public task_cell<T> {
public:
  explicit ready_task(outcome<T> how) noexcept {
    this->result = std::move(how);
    this->settle_ready();
  }

protected:
  task_base::step_result first_step() noexcept override { return task_base::step_result::ended; }
  task_base::step_result next_step(std::coroutine_handle<>) noexcept override { return task_base::step_result::ended; }
  std::exception_ptr destroy_work() noexcept override { return nullptr; }
};
} // namespace detail

template <class T>
task<T> task<T>::ready(typename outcome<T>::value_type value) {
  return task{new detail::ready_task<T>{outcome<T>::of_value(std::move(value))}};
}

/// Spawns `work` as a task of `owner` on `sink`. The task starts no earlier than this call, never inside it. A refusal
/// (session closed, queue full) shows at once: the returned task is settled `rejected` with the `error()`.
template <class F>
task<detail::task_value_t<F>> spawn_on(task_owner& owner, task_sink& sink, const spawn_options& options,
                                       source_location where, F&& work) {
  auto* cell = new detail::spawned_task<std::decay_t<F>>(std::forward<F>(work));
  cell->kind = options.kind;
  cell->urgency = options.urgency;
  cell->name = options.name;
  cell->where = where;
  cell->start(owner, sink);
  return task<detail::task_value_t<F>>{cell};
}

} // namespace troupe
