// A one-shot flag that a dispatcher's block_until waits for.
#pragma once
#include <atomic>
#include <mutex>

namespace troupe::platform {

/// Released once, from any thread; waited for through `dispatcher::block_until`.
/// Thread safety: all members. The releaser must be done with `release` before the latch is destroyed: `await_release`
/// in the waiter ensures that.
class latch {
public:
  /// Wakes the waiter. Repeating is harmless.
  void release() noexcept {
    std::lock_guard guard{mutex_};
    if (released_.exchange(true, std::memory_order_acq_rel))
      return;
    if (wake_)
      wake_(context_);
  }

  bool is_released() const noexcept { return released_.load(std::memory_order_acquire); }

  /// For dispatchers: `wake(context)` is called, under the latch's lock, when it is released; at once if it is already.
  void on_release(void (*wake)(void*) noexcept, void* context) noexcept {
    std::lock_guard guard{mutex_};
    wake_ = wake;
    context_ = context;
    if (wake_ && is_released())
      wake_(context_);
  }

  /// Returns once a `release` that was seen by `is_released` has left the latch, so that it may be destroyed.
  void await_release() noexcept { std::lock_guard guard{mutex_}; }

private:
  std::mutex mutex_;
  std::atomic<bool> released_ = false;
  void (*wake_)(void*) noexcept = nullptr;
  void* context_ = nullptr;
};

} // namespace troupe::platform
