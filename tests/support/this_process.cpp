// What of it is the same on all systems.
#include "tests/support/this_process.hpp"
#include <chrono>
#include <thread>

namespace troupe::testing {

bool thread_count_becomes(std::size_t count) {
  using namespace std::chrono_literals;
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  while (thread_count() != count) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

} // namespace troupe::testing
