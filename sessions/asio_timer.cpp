// Waits of Asio programs as timers of the dispatcher.
#include "sessions/asio_timer.hpp"
#include <algorithm>

namespace troupe {

void detail::asio_timer_wait::start(time_point due) {
  // With the session the system may have gone.
  if (owner_.state() == session_state::closed) {
    drop();
    return;
  }
  auto& dispatcher = *owner_.node()->system().dispatcher;
  kept_ = shared_from_this();
  timer_ = dispatcher.dispatch_after(std::max(due - dispatcher.now(), duration::zero()), platform::background_lane,
                                     *this, priority::normal);
  if (!timer_)
    drop();
}

bool detail::asio_timer_wait::cancel() {
  // The dispatcher is there as long as it has neither run nor dropped this.
  if (is_done() || !owner_.node()->system().dispatcher->cancel(timer_))
    return false;
  is_done_.store(true, std::memory_order_release);
  complete(boost::asio::error::operation_aborted);
  kept_.reset();
  return true;
}

void detail::asio_timer_wait::run() noexcept {
  auto kept = std::move(kept_);
  is_done_.store(true, std::memory_order_release);
  complete({});
}

void detail::asio_timer_wait::drop() noexcept {
  auto kept = std::move(kept_);
  is_done_.store(true, std::memory_order_release);
  discard();
}

platform::runnable_info detail::asio_timer_wait::info() const noexcept { return {"timer", {}, owner_.id().number, 0}; }

std::size_t asio_timer::expires_after(duration delay) {
  if (executor_.owner().state() == session_state::closed)
    return cancel();
  return expires_at(executor_.owner().node()->now() + delay);
}

std::size_t asio_timer::cancel() {
  std::size_t cancelled = 0;
  for (auto& wait : waits_)
    cancelled += wait->cancel();
  waits_.clear();
  return cancelled;
}

} // namespace troupe
