// Threads that wait for a latch without running anything. Not installed.
#pragma once
#include "platform/dispatcher.hpp"
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace troupe::platform {

/// Any thread.
class blocked_threads {
public:
  /// Waits until `done` is released, the deadline has passed or `release_all` is called.
  void wait(latch& done, std::optional<time_point> deadline) {
    waiter self;
    {
      std::lock_guard guard{mutex_};
      if (released_)
        return;
      waiters_.push_back(&self);
    }
    done.on_release([](void* context) noexcept { static_cast<waiter*>(context)->wake(); }, &self);
    {
      std::unique_lock lock{self.mutex};
      const auto woken = [&] { return self.woken; };
      if (deadline)
        self.changed.wait_until(lock, *deadline, woken);
      else
        self.changed.wait(lock, woken);
    }
    done.on_release(nullptr, nullptr);
    std::lock_guard guard{mutex_};
    waiters_.erase(std::find(waiters_.begin(), waiters_.end(), &self));
  }

  /// Ends every wait, and those to come.
  void release_all() noexcept {
    std::lock_guard guard{mutex_};
    released_ = true;
    for (auto* each : waiters_)
      each->wake();
  }

private:
  struct waiter {
    std::mutex mutex;
    std::condition_variable changed;
    bool woken = false;

    void wake() noexcept {
      std::lock_guard guard{mutex};
      woken = true;
      changed.notify_one();
    }
  };

  std::mutex mutex_;
  std::vector<waiter*> waiters_;
  bool released_ = false;
};

} // namespace troupe::platform
