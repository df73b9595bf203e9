// The foreground lane of the GCD dispatcher: a queue of ours in front of the main queue. Not installed.
#pragma once
#include "platform/gcd_api.hpp"
#include "platform/gcd_waker.hpp"
#include "platform/runnable_queue.hpp"
#include "platform/spin_lock.hpp"
#include <functional>

namespace troupe::platform {

/// Runs runnables on the main queue, a bounded number per turn, so that the host's own blocks stay live. Whoever owns
/// the main queue runs it; `run_until` does while the caller, who is on it, waits. Re-entrant: a runnable may call
/// `run_until`.
class gcd_foreground {
public:
  /// @param owner What this is a part of; callbacks keep it alive.
  /// @param quiet Called on the main queue when everything has ended after `close`.
  gcd_foreground(gcd_shared& owner, void (*quiet)(void*) noexcept, void* quiet_context);

  /// Any thread; never allocates. @returns false once closed: the work was not taken.
  bool push(runnable& work, priority urgency) noexcept;

  /// Drops `work` on the main queue. Any thread.
  void push_dropped(runnable& work) noexcept;

  /// Whether the caller is inside a runnable of this lane.
  bool is_running() const noexcept;

  /// Makes `run_until` check its condition. Any thread.
  void nudge() noexcept;

  /// Runs this lane, and as far as GCD lets it the whole main queue, until `done()` or the deadline.
  /// @pre the caller is on the main queue @returns `done()`
  bool run_until(const std::function<bool()>& done, std::optional<time_point> deadline);

  /// From now on `push` refuses.
  void close() noexcept;

  /// Whether nothing is queued or running. Means something only once closed.
  bool is_quiet() noexcept;

  /// Drops what is queued: now if on the main queue, else when that is run again.
  void abandon() noexcept;

  /// Drops what is queued. After `abandon`, by the destructor of the dispatcher.
  void drop_queued() noexcept;

private:
  void queue(runnable_list* dropped, runnable& work, priority urgency, bool& taken) noexcept;
  void request_pump() noexcept;
  void pump() noexcept;
  bool run_next() noexcept;

  gcd_shared& owner_;
  void (*quiet_)(void*) noexcept;
  void* quiet_context_;
  gcd_waker waker_;
  spin_lock lock_; ///< Guards what follows.
  priority_lists queue_;
  runnable_list dropped_;
  bool closed_ = false;
  bool abandoned_ = false;
  bool pump_pending_ = false;
  unsigned waits_ = 0; ///< Nested calls of `run_until`: they run the lane, so that no pump is needed.
  unsigned depth_ = 0; ///< Runnables that run, one inside of the other.
};

} // namespace troupe::platform
