// The pump of the foreground lane.
#include "platform/asio_foreground.hpp"
#include <mutex>

namespace troupe::platform {
namespace {
constexpr unsigned runnables_per_turn = 64;
} // namespace

asio_foreground::asio_foreground(coalesced_handler::function quiet, void* quiet_context)
    : pump_{*context_, [](void* self) noexcept { static_cast<asio_foreground*>(self)->pump(); }, this},
      nudge_{*context_, [](void*) noexcept {}, nullptr}, quiet_{quiet}, quiet_context_{quiet_context} {}

bool asio_foreground::push(runnable& work, priority urgency) noexcept {
  {
    std::lock_guard guard{lock_};
    if (!take(work, urgency))
      return false;
  }
  pump_.request();
  return true;
}

void asio_foreground::destroy_context() noexcept {
  guard_.reset();
  context_.reset();
}

void asio_foreground::push_dropped(runnable& work) noexcept {
  {
    std::lock_guard guard{lock_};
    take_dropped(work);
  }
  pump_.request();
}

void asio_foreground::pump() noexcept {
  assert(is_main_thread());
  bool more = true;
  for (unsigned i = 0; i < runnables_per_turn && more; ++i)
    more = run_next();
  if (more) {
    pump_.request();
    return;
  }
  if (has_ended())
    quiet_(quiet_context_);
}

void asio_foreground::abandon() noexcept {
  abandon_queued();
  if (is_main_thread())
    drop_queued();
  else
    pump_.request();
}

} // namespace troupe::platform
