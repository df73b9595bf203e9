// What the parts of the GCD dispatcher share: libdispatch's C interface, its queues by priority, and how long what its
// callbacks find stays alive. Not installed.
#pragma once
#include "platform/priority.hpp"
#include <atomic>
#include <cstdint>

// g++ 12 has neither of these, which libdispatch's headers ask for, and minds where they put one of their attributes.
#ifndef __has_feature
#  define __has_feature(x) 0
#endif
#ifndef __has_extension
#  define __has_extension(x) 0
#endif
#if defined(__GNUC__) && !defined(__clang__)
#  define __DISPATCH_INDIRECT__
#  include <dispatch/base.h>
#  undef __DISPATCH_INDIRECT__
#  undef DISPATCH_LINUX_UNAVAILABLE
#  define DISPATCH_LINUX_UNAVAILABLE()
#endif
#include <dispatch/dispatch.h>
#if defined(__APPLE__)
#  include <sys/qos.h>
#endif

namespace troupe::platform {

/// The global queue for work of that urgency; docs/gcd.md has the table.
inline dispatch_queue_t global_queue(priority urgency) noexcept {
#if defined(__APPLE__)
  constexpr intptr_t classes[priority_count] = {QOS_CLASS_UTILITY, QOS_CLASS_DEFAULT, QOS_CLASS_USER_INITIATED,
                                                QOS_CLASS_USER_INTERACTIVE};
#else
  // Without QoS the two most urgent ones share a queue.
  constexpr intptr_t classes[priority_count] = {DISPATCH_QUEUE_PRIORITY_LOW, DISPATCH_QUEUE_PRIORITY_DEFAULT,
                                                DISPATCH_QUEUE_PRIORITY_HIGH, DISPATCH_QUEUE_PRIORITY_HIGH};
#endif
  return dispatch_get_global_queue(classes[static_cast<std::size_t>(urgency)], 0);
}

/// What libdispatch's callbacks find: whoever hands one a pointer into it takes a reference, since nothing that was
/// handed to libdispatch can be taken back. Any thread.
class gcd_shared {
public:
  gcd_shared() = default;
  gcd_shared(const gcd_shared&) = delete;
  gcd_shared& operator=(const gcd_shared&) = delete;

  void add_ref() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }

protected:
  virtual ~gcd_shared() = default;

private:
  std::atomic<std::size_t> references_ = 1;
};

} // namespace troupe::platform
