// Running and dropping, one at a time, never under the lock.
#include "platform/foreground_queue.hpp"
#include <mutex>

namespace troupe::platform {

void foreground_queue::close() noexcept {
  std::lock_guard guard{lock_};
  closed_ = true;
}

bool foreground_queue::is_quiet() noexcept {
  std::lock_guard guard{lock_};
  return is_empty() && depth_.load(std::memory_order_acquire) == 0;
}

bool foreground_queue::has_ended() noexcept {
  std::lock_guard guard{lock_};
  return closed_ && is_empty() && depth_.load(std::memory_order_acquire) == 0;
}

void foreground_queue::abandon_queued() noexcept {
  std::lock_guard guard{lock_};
  abandoned_ = true;
}

/// Under the lock.
runnable* foreground_queue::pop(bool& drop) noexcept {
  if (runnable* work = dropped_.pop()) {
    drop = true;
    return work;
  }
  drop = abandoned_;
  return queue_.pop();
}

bool foreground_queue::run_next() noexcept {
  bool drop = false;
  runnable* work = nullptr;
  {
    std::lock_guard guard{lock_};
    work = pop(drop);
    if (!work)
      return false;
    depth_.fetch_add(1, std::memory_order_relaxed);
  }
  if (drop)
    work->drop();
  else
    work->run();
  depth_.fetch_sub(1, std::memory_order_release);
  return true;
}

void foreground_queue::drop_queued() noexcept {
  for (;;) {
    bool drop = true;
    lock_.lock();
    runnable* work = pop(drop);
    lock_.unlock();
    if (!work)
      return;
    work->drop();
  }
}

} // namespace troupe::platform
