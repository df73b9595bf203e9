// Error texts of the seam.
#include "platform/dispatcher.hpp"

namespace troupe::platform {
namespace {
class category final : public std::error_category {
public:
  const char* name() const noexcept override { return "troupe.dispatch"; }
  std::string message(int code) const override {
    switch (static_cast<dispatch_errc>(code)) {
    case dispatch_errc::stopped:
      return "the dispatcher has stopped; nothing was queued";
    case dispatch_errc::unknown_lane:
      return "no such lane: it was never opened, or it is closed";
    case dispatch_errc::too_many_lanes:
      return "no further dedicated lane can be opened";
    case dispatch_errc::timed_out:
      return "gave up waiting at the deadline";
    case dispatch_errc::would_deadlock:
      return "waiting here can never end: nothing is left to run";
    case dispatch_errc::cannot_block:
      return "this thread must not block, the loop of its host would stand still: co_await instead";
    case dispatch_errc::wrong_thread:
      return "this call belongs on the main thread";
    case dispatch_errc::overloaded:
      return "the lane takes no more work for now";
    }
    return "unknown dispatch error";
  }
};
} // namespace

const std::error_category& dispatch_category() noexcept {
  static const category instance;
  return instance;
}

std::error_code make_error_code(dispatch_errc code) noexcept { return {static_cast<int>(code), dispatch_category()}; }

} // namespace troupe::platform
