// A lock for sections of a few instructions.
#pragma once
#include "platform/relax.hpp"
#include <atomic>
#include <thread>

namespace troupe {

/// Meets BasicLockable. For sections that neither allocate nor call user code; yields the thread when it has to wait
/// long, so that a preempted holder cannot burn a whole core.
class spin_lock {
public:
  void lock() noexcept {
    for (int spins = 0; locked_.exchange(true, std::memory_order_acquire);) {
      while (locked_.load(std::memory_order_relaxed)) {
        platform::relax();
        if (++spins > 64) {
          std::this_thread::yield();
          spins = 0;
        }
      }
    }
  }
  bool try_lock() noexcept {
    return !locked_.load(std::memory_order_relaxed) && !locked_.exchange(true, std::memory_order_acquire);
  }
  void unlock() noexcept { locked_.store(false, std::memory_order_release); }

private:
  std::atomic<bool> locked_ = false;
};

} // namespace troupe
