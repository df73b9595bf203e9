// Lets a task wait until its answer has gone out: how a callback of foreign code wakes a task.
#pragma once
#include "actors/async.hpp"
#include <mutex>
#include <optional>
#include <utility>

namespace checkout {

/// Set once, from any thread; awaited by at most one task: `bool is_sent = co_await signal.wait();`
/// Must outlive the wait.
class sent_signal {
public:
  ~sent_signal() { forget_waiter(); }

  /// Wakes the waiting task, now or as soon as it waits. Later calls do nothing.
  void set(bool is_sent) {
    std::lock_guard guard{mutex_};
    if (is_sent_)
      return;
    is_sent_ = is_sent;
    if (waiter_)
      waiter_->wake(ticket_);
  }

  class waiting : public troupe::suspension<waiting> {
  public:
    explicit waiting(sent_signal& signal) : signal_(signal) {}
    bool await_ready() const noexcept { return false; }
    troupe::wait_info why() const noexcept {
      return {.kind = troupe::wait_kind::custom, .what = "the answer to go out"};
    }
    void begin(troupe::task_base& task, std::uint64_t ticket) { signal_.begin(task, ticket); }
    /// Throws troupe::task_cancelled if the task is cancelled first.
    bool await_resume() {
      if (const auto is_sent = signal_.finish())
        return *is_sent;
      throw_if_cancelled();
      return false;
    }

  private:
    sent_signal& signal_;
  };
  waiting wait() { return waiting{*this}; }

private:
  void begin(troupe::task_base& task, std::uint64_t ticket) {
    std::lock_guard guard{mutex_};
    task.add_ref(); // A late `set` must find it, even if it was cancelled and is gone.
    waiter_ = &task;
    ticket_ = ticket;
    if (is_sent_)
      task.wake(ticket);
  }
  std::optional<bool> finish() {
    std::lock_guard guard{mutex_};
    forget_waiter();
    return is_sent_;
  }
  void forget_waiter() {
    if (waiter_)
      std::exchange(waiter_, nullptr)->release();
  }

  std::mutex mutex_;
  std::optional<bool> is_sent_;
  troupe::task_base* waiter_ = nullptr;
  std::uint64_t ticket_ = 0;
};

} // namespace checkout
