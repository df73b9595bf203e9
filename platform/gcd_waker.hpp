// How the main thread waits for its main queue and for somebody's sign at once. Not installed.
#pragma once
#include "platform/dispatcher.hpp"

namespace troupe::platform {

/// Whether the caller is the process's first thread: the one that the main queue is bound to until `dispatch_main`.
bool is_process_main_thread() noexcept;

/// What `main_queue_handle` returns.
int gcd_main_queue_handle() noexcept;

/// Takes note of what the main queue's handle says, so that it is not ready any more.
void acknowledge_main_queue() noexcept;

/// One thread waits, any thread wakes it.
class gcd_waker {
public:
  /// @throws std::system_error
  gcd_waker();
  ~gcd_waker();
  gcd_waker(const gcd_waker&) = delete;
  gcd_waker& operator=(const gcd_waker&) = delete;

  /// Ends the wait, or the next one. Any thread; never blocks.
  void wake() noexcept;

  /// Waits for `wake` or the deadline, and if `watches_main_queue` also until something is queued there. May return
  /// early.
  void wait(std::optional<time_point> deadline, bool watches_main_queue) noexcept;

private:
  int handle_;
};

} // namespace troupe::platform
