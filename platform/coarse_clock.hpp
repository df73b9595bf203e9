// The steady clock as of a moment ago, for time stamps by the million. Not installed.
#pragma once
#include "platform/dispatcher.hpp"
#include <ctime>

namespace troupe::platform {

/// A time of `clock` that may lie some milliseconds back, never ahead. Any thread.
inline time_point coarse_now() noexcept {
#ifdef CLOCK_MONOTONIC_COARSE
  // The clock that std::chrono::steady_clock reads, as of the kernel's last tick.
  timespec at{};
  if (::clock_gettime(CLOCK_MONOTONIC_COARSE, &at) == 0)
    return time_point{std::chrono::seconds{at.tv_sec} + std::chrono::nanoseconds{at.tv_nsec}};
#endif
  return clock::now();
}

/// `now + delay`, or the end of time where that lies beyond it.
constexpr time_point saturating_after(time_point now, duration delay) noexcept {
  return delay < time_point::max() - now ? now + delay : time_point::max();
}

} // namespace troupe::platform
