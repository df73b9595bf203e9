// The foreground lane of the GCD dispatcher: a queue of ours in front of the main queue. Not installed.
#pragma once
#include "platform/foreground_queue.hpp"
#include "platform/gcd_api.hpp"
#include "platform/gcd_waker.hpp"
#include <functional>
#include <utility>

namespace troupe::platform {

/// Runs runnables on the main queue, a bounded number per turn, so that the host's own blocks stay live. Whoever owns
/// the main queue runs it; `run_until` does while the caller, who is on it, waits. Re-entrant: a runnable may call
/// `run_until`.
class gcd_foreground final : public foreground_queue {
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
  /// @pre the caller is on the main queue @returns what `done()` said last
  bool run_until(const std::function<bool()>& done, std::optional<time_point> deadline);

  /// Drops what is queued: now if on the main queue, else when that is run again.
  void abandon() noexcept;

private:
  /// What has to be done for work that was queued, once the lock is free.
  enum class call : std::uint8_t { nobody, waiter, main_queue };

  call note_queued(bool was_empty) noexcept;
  void make(call whom) noexcept;
  bool claim_pump() noexcept;
  void request_pump() noexcept;
  void pump() noexcept;
  bool run_one() noexcept;

  gcd_shared& owner_;
  void (*quiet_)(void*) noexcept;
  void* quiet_context_;
  gcd_waker waker_;
  // Guarded by the lock.
  bool pump_pending_ = false;
  unsigned waits_ = 0; ///< Nested calls of `run_until`: they run the lane, so that no pump is needed.
};

} // namespace troupe::platform
