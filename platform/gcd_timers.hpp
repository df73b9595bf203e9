// The timers of the GCD dispatcher: a queue of ours behind one dispatch source. Not installed.
#pragma once
#include "platform/gcd_api.hpp"
#include "platform/runnable_queue.hpp"
#include "platform/timer_queue.hpp"
#include <mutex>

namespace troupe::platform {

/// Any thread. Why not one source per timer? A source that was cancelled lives until GCD has got round to it; an entry
/// of the queue is gone when `cancel` returns.
class gcd_timers {
public:
  /// @param owner What this is a part of; callbacks keep it alive.
  /// @param fire Called for each timer that is due, in order and under a lock, on a thread of GCD's.
  /// If it returns false, the work is dropped, not under the lock.
  gcd_timers(gcd_shared& owner, bool (*fire)(void*, const timer_entry&) noexcept, void* fire_context);

  /// @returns an empty id once closed: the work was not taken.
  timer_id add(const timer_entry& entry);

  bool cancel(timer_id timer) noexcept;

  /// From now on `add` refuses, and nothing fires.
  void close() noexcept;

  /// Takes the timer that is due first. @returns whether there was one.
  bool pop(timer_entry& entry) noexcept;

private:
  void arm() noexcept;
  void ring() noexcept;

  gcd_shared& owner_;
  bool (*fire_)(void*, const timer_entry&) noexcept;
  void* fire_context_;
  std::mutex mutex_; ///< Guards what follows.
  timer_queue queue_;
  dispatch_source_t alarm_ = nullptr; ///< From the first timer until `close`.
  time_point armed_ = time_point::max();
  bool closed_ = false;
};

} // namespace troupe::platform
