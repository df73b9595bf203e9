// Asio coroutines as tasks: with a result, a label and a spawn site, and cancelled with their session.
#pragma once
#include "sessions/asio_executor.hpp"
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <memory>
#include <mutex>
#include <optional>

namespace troupe {
namespace detail {

/// One Asio coroutine whose end a task waits for.
class awaitable_run {
public:
  explicit awaitable_run(const asio_executor& executor) : strand(boost::asio::make_strand(executor)) {}

  /// The coroutine has ended. On the strand.
  void end(std::exception_ptr how) noexcept;
  bool has_ended() const noexcept;
  /// Asks Asio to cancel whatever the coroutine waits for.
  static void cancel(const std::shared_ptr<awaitable_run>& self);
  /// Throws what the coroutine threw, but `task_cancelled` if it has ended because the task was cancelled.
  void rethrow(const task_base& task) const;

  class ended_awaiter {
  public:
    using troupe_awaitable = void;
    ended_awaiter(awaitable_run& run, bool heeds_cancellation) noexcept
        : run_(run), heeds_cancellation_(heeds_cancellation) {}
    ~ended_awaiter() { run_.forget_waiter(); }
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> at) noexcept {
      return suspend(*at.promise().task, at);
    }
    void await_resume() const noexcept {}

  private:
    bool suspend(task_base& task, std::coroutine_handle<> at) noexcept;
    awaitable_run& run_;
    bool heeds_cancellation_;
  };
  /// Resumes when the coroutine has ended, or, with `heeds_cancellation`, when the task is cancelled.
  ended_awaiter ended(bool heeds_cancellation) noexcept { return {*this, heeds_cancellation}; }

  const boost::asio::strand<asio_executor> strand;
  boost::asio::cancellation_signal signal; ///< Touched on the strand only, once the coroutine has started.

private:
  void forget_waiter() noexcept;

  mutable std::mutex mutex_;
  bool has_ended_ = false; // guarded by mutex_, like the rest
  std::exception_ptr error_;
  task_base* waiter_ = nullptr;
  std::uint64_t ticket_ = 0;
};

template <class T>
struct awaitable_result : awaitable_run {
  using awaitable_run::awaitable_run;
  std::optional<T> value;
  static auto handler(std::shared_ptr<awaitable_result> self) {
    return [self = std::move(self)](std::exception_ptr error, T produced) {
      if (!error)
        self->value.emplace(std::move(produced));
      self->end(std::move(error));
    };
  }
  T take() { return std::move(*value); }
};

template <>
struct awaitable_result<void> : awaitable_run {
  using awaitable_run::awaitable_run;
  static auto handler(std::shared_ptr<awaitable_result> self) {
    return [self = std::move(self)](std::exception_ptr error) { self->end(std::move(error)); };
  }
  void take() const noexcept {}
};

template <class T>
struct awaitable_value;
template <class T, class Executor>
struct awaitable_value<boost::asio::awaitable<T, Executor>> {
  using type = T;
};

template <class T, class F>
async<T> run_awaitable(std::shared_ptr<awaitable_result<T>> run, F work) {
  auto* self = task_base::current();
  boost::asio::co_spawn(run->strand, std::move(work),
                        boost::asio::bind_cancellation_slot(run->signal.slot(), awaitable_result<T>::handler(run)));
  co_await run->ended(true);
  if (!run->has_ended()) {
    awaitable_run::cancel(run);
    co_await run->ended(false);
  }
  run->rethrow(*self);
  co_return run->take();
}

} // namespace detail

/// Spawns the Asio coroutine that `work()` returns, an `asio::awaitable<T>`, as a task of `owner`: with its result, its
/// exception, its spawn site and all that `options` say. It runs on a strand of its own, and counts as one task.
///
/// When the task is cancelled (by its handle, its session, a deadline) the coroutine gets Asio's terminal cancellation:
/// the operation that it waits for ends with `operation_aborted`. If it then ends with that error the task is
/// cancelled, else it ends as the coroutine does; the task settles only when the coroutine has ended. One that goes on
/// regardless is abandoned in the end, like any task.
///
/// `T` is default constructible, as `co_spawn` asks. Thread safety: any thread. A refusal is in the task's `error()`.
template <class F>
[[nodiscard]] auto spawn_awaitable(const session& owner, F&& work, spawn_options options = {},
                                   source_location where = source_location::current()) {
  using value = typename detail::awaitable_value<std::invoke_result_t<std::decay_t<F>&>>::type;
  return owner.spawn(
      [owner, options, where, work = std::forward<F>(work)]() mutable -> async<value> {
        return detail::run_awaitable<value>(
            std::make_shared<detail::awaitable_result<value>>(asio_executor::internal(owner, options, where)),
            std::move(work));
      },
      options, where);
}

} // namespace troupe
