// The lazy coroutine type, and what a coroutine task can wait for.
#pragma once
#include "actors/task_base.hpp"
#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace troupe {

template <class T = void>
class async;

namespace detail {

struct async_promise_base {
  task_base* task = nullptr;
  std::coroutine_handle<> continuation;
  std::exception_ptr error;

  struct final_awaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      auto& promise = ended.promise();
      if (promise.continuation)
        return promise.continuation;
      if (promise.task)
        promise.task->check_thread("resumed");
      task_base::mark_coroutine_done();
      return std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  final_awaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }

  /// Every co_await passes here: a coroutine that something resumed on the wrong thread is caught at its next one.
  template <class Awaitable>
  Awaitable&& await_transform(Awaitable&& awaitable) const noexcept {
    if (task) {
      task->check_thread("resumed");
      if constexpr (!requires { typename std::decay_t<Awaitable>::troupe_awaitable; })
        task->note_foreign_wait();
    }
    return std::forward<Awaitable>(awaitable);
  }
};

template <class T>
struct async_promise : async_promise_base {
  std::optional<T> value;
  async<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() { return std::move(*value); }
};

template <>
struct async_promise<void> : async_promise_base {
  async<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void take() const noexcept {}
};

} // namespace detail

/// A coroutine that starts when it is awaited (as part of the awaiting task) or spawned (as a task of its own).
/// Move-only; destroying it destroys the coroutine wherever it is suspended. Thread safety: one thread at a time.
template <class T>
class [[nodiscard]] async {
public:
  using promise_type = detail::async_promise<T>;
  using troupe_awaitable = void;

  async(async&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  async& operator=(async&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~async() {
    if (handle_)
      handle_.destroy();
  }

  struct awaiter {
    std::coroutine_handle<promise_type> child;
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> parent) const noexcept {
      child.promise().task = parent.promise().task;
      child.promise().continuation = parent;
      return child;
    }
    T await_resume() const {
      if (child.promise().error)
        std::rethrow_exception(child.promise().error);
      return child.promise().take();
    }
  };
  /// Runs the coroutine inline, in the same task and step; its exception is rethrown here.
  awaiter operator co_await() && noexcept { return awaiter{handle_}; }

  /// For task implementations: makes it the outermost coroutine of `task`, which from now on owns it.
  std::coroutine_handle<promise_type> release_to(task_base& task) && noexcept {
    handle_.promise().task = &task;
    return std::exchange(handle_, {});
  }

private:
  friend detail::async_promise<T>;
  explicit async(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

template <class T>
async<T> detail::async_promise<T>::get_return_object() noexcept {
  return async<T>{std::coroutine_handle<async_promise<T>>::from_promise(*this)};
}
inline async<void> detail::async_promise<void>::get_return_object() noexcept {
  return async<void>{std::coroutine_handle<async_promise<void>>::from_promise(*this)};
}

/// Base of what a task can wait for: one suspension, ended by a wake or by cancellation.
/// A derived class offers `wait_info why()` and `void begin(task_base&, ticket)`, which arranges the wake.
template <class Derived>
class suspension {
public:
  using troupe_awaitable = void;
  suspension() = default;
  /// Movable until it is awaited.
  suspension(suspension&&) noexcept {}
  suspension& operator=(const suspension&) = delete;

  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> at) {
    auto* task = task_ = at.promise().task;
    auto ticket = ticket_ = task->suspend_at(at, static_cast<Derived*>(this)->why());
    static_cast<Derived*>(this)->begin(*task, ticket);
    if (task->is_cancelled())
      task->wake(ticket);
    // After the commit another thread may have resumed and destroyed this object.
    return task->commit(ticket);
  }

protected:
  /// To be called first by `await_resume`, after the derived class has withdrawn what `begin` arranged.
  void throw_if_cancelled() const {
    if (task_ && task_->is_cancelled())
      throw task_cancelled{task_->cause()};
  }
  task_base* task_ = nullptr;
  std::uint64_t ticket_ = 0;
};

/// Wakes a task's suspension at a point in time. Kept apart from the task's frame, since a timer that has expired may
/// still be queued when the task has gone on.
class wake_timer {
public:
  wake_timer() = default;
  ~wake_timer() { cancel(); }
  wake_timer(wake_timer&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  wake_timer& operator=(const wake_timer&) = delete;

  /// Wakes `task` with `ticket` after `delay`. Once per object, before the suspension's commit.
  void start(task_base& task, std::uint64_t ticket, platform::duration delay);
  /// Withdraws it; harmless if it has fired.
  void cancel() noexcept;

private:
  class node;
  node* node_ = nullptr;
};

namespace detail {
class sleep_awaiter : public suspension<sleep_awaiter> {
public:
  explicit sleep_awaiter(platform::duration delay) : delay_(delay) {}
  bool await_ready() const noexcept { return false; }
  wait_info why() const noexcept;
  void begin(task_base& task, std::uint64_t ticket) { timer_.start(task, ticket, delay_); }
  void await_resume() {
    timer_.cancel();
    throw_if_cancelled();
  }

private:
  platform::duration delay_;
  wake_timer timer_;
};

class yield_awaiter : public suspension<yield_awaiter> {
public:
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> at) {
    // Woken only after the commit, so that the rest is a step of its own.
    auto* task = task_ = at.promise().task;
    auto ticket = task->suspend_at(at, {.kind = wait_kind::turn});
    if (task->commit(ticket))
      task->wake(ticket);
    return true;
  }
  void await_resume() const { throw_if_cancelled(); }
};
} // namespace detail

/// Suspends the task for at least `delay` (>= 0) of its dispatcher's time. Throws task_cancelled if it is cancelled.
inline detail::sleep_awaiter sleep_for(platform::duration delay) { return detail::sleep_awaiter{delay}; }

/// Lets others run: the rest of the task is its next step. Throws task_cancelled if the task is cancelled.
inline detail::yield_awaiter yield() { return {}; }

} // namespace troupe
