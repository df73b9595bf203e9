// What waits for the main thread of a dispatcher with threads. Not installed.
#pragma once
#include "platform/runnable_queue.hpp"
#include "platform/spin_lock.hpp"
#include <atomic>

namespace troupe::platform {

/// The queue of a foreground lane: work to run, by weight, and before it what is to be dropped there.
class foreground_queue {
public:
  foreground_queue(const foreground_queue&) = delete;
  foreground_queue& operator=(const foreground_queue&) = delete;

  /// From now on new work is refused. Any thread.
  void close() noexcept;

  /// Whether nothing is queued or running. Means something only once closed. Any thread.
  bool is_quiet() noexcept;

  /// Drops what is queued. On the main thread, or if that runs nothing any more.
  void drop_queued() noexcept;

protected:
  foreground_queue() = default;
  ~foreground_queue() = default;

  /// Under the lock. @returns false once closed: the work was not taken
  bool take(runnable& work, priority urgency) noexcept {
    if (!closed_)
      queue_.push(work, urgency);
    return !closed_;
  }
  /// Under the lock.
  void take_dropped(runnable& work) noexcept { dropped_.push(work); }
  /// Under the lock.
  bool is_empty() const noexcept { return queue_.empty() && dropped_.empty(); }
  /// From now on what is queued is dropped, whoever gets to it.
  void abandon_queued() noexcept;

  /// Runs or drops what is next. On the main thread; re-entrant. @returns whether there was something
  bool run_next() noexcept;
  /// Whether one of its runnables runs at the moment.
  bool is_inside() const noexcept { return depth_.load(std::memory_order_relaxed) > 0; }
  /// Whether it is closed, and everything has ended.
  bool has_ended() noexcept;

  spin_lock lock_;

private:
  runnable* pop(bool& drop) noexcept;

  // Guarded by the lock.
  priority_lists queue_;
  runnable_list dropped_;
  bool closed_ = false;
  bool abandoned_ = false;
  std::atomic<unsigned> depth_ = 0; ///< Runnables that run, one inside of the other. Grows under the lock.
};

} // namespace troupe::platform
