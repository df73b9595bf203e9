// The GCD dispatcher as a backend of the contracts.
#pragma once
#include "platform/gcd_dispatcher.hpp"
#include "tests/contracts/contract_support.hpp"

namespace troupe::test {

template <std::size_t Width>
struct gcd_backend {
  static constexpr std::size_t threads = 0; // They are GCD's.
  static constexpr std::size_t threads_per_lane = 0;
  static constexpr bool has_threads = true;
  static constexpr bool is_weighted = true;
  static constexpr bool allocates_nothing = true; // A drain of many costs libdispatch an object that it uses again.

  dispatcher& get() noexcept { return *dispatcher_; }

private:
  std::unique_ptr<dispatcher> dispatcher_ = platform::make_gcd_dispatcher({.width = Width});
};

} // namespace troupe::test
