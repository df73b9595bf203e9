// The Asio dispatcher as a backend of the contract, with the number of threads that a test wants.
#pragma once
#include "platform/asio_dispatcher.hpp"
#include "tests/contracts/contract_support.hpp"
#include <thread>

namespace troupe::test {

template <std::size_t Threads>
struct asio_backend {
  static constexpr std::size_t threads = Threads;
  static constexpr std::size_t threads_per_lane = 1;
  static constexpr bool has_threads = true;
  static constexpr bool is_weighted = true;
  static constexpr bool allocates_nothing = true;

  dispatcher& get() noexcept { return *dispatcher_; }

private:
  std::unique_ptr<dispatcher> dispatcher_ = platform::make_asio_dispatcher({.thread_count = Threads});
};

/// Holds a thread until it is opened.
class gate {
public:
  void open() { done_.release(); }
  void pass() {
    while (!done_.is_released())
      std::this_thread::sleep_for(100us);
  }

private:
  latch done_;
};

} // namespace troupe::test
