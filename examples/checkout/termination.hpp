// Hears SIGTERM and SIGINT.
#pragma once
#include "platform/dispatcher.hpp"
#include <functional>
#include <memory>

namespace checkout {

/// While it lives, the first SIGTERM or SIGINT calls `heard` on a background thread instead of ending the process.
/// The second one ends it: an impatient operator gets away.
class termination {
public:
  /// `dispatcher` must be Asio's, and outlive this. `heard` must not destroy it; the destructor waits for its end.
  termination(troupe::platform::dispatcher& dispatcher, std::function<void()> heard);
  ~termination();
  termination(const termination&) = delete;
  termination& operator=(const termination&) = delete;

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace checkout
