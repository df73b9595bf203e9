// A host that drives the main queue from a run loop of its own, through the queue's event descriptor.
#pragma once
#include "platform/gcd_main_queue.hpp"
#include <chrono>
#include <poll.h>

namespace troupe::test {

/// Runs the main queue until `done()`; gives up after 20 s. @returns `done()`
template <class Condition>
bool run_host_loop(Condition done) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!done()) {
    if (std::chrono::steady_clock::now() > give_up)
      return false;
    pollfd watched{platform::main_queue_handle(), POLLIN, 0};
    if (poll(&watched, 1, 5) > 0)
      platform::drain_main_queue();
  }
  return true;
}

} // namespace troupe::test
