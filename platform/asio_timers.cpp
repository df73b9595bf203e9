// Arms the one Asio timer for whichever timer is due first.
#include "platform/asio_timers.hpp"

namespace troupe::platform {

timer_id asio_timers::add(const timer_entry& entry) {
  std::lock_guard guard{mutex_};
  if (closed_)
    return {};
  const auto id = queue_.add(entry);
  arm();
  return id;
}

bool asio_timers::cancel(timer_id timer) noexcept {
  // The alarm stays as it is: ringing for nothing costs less than arming it anew for every timeout taken back.
  std::lock_guard guard{mutex_};
  return queue_.cancel(timer);
}

void asio_timers::close() noexcept {
  std::lock_guard guard{mutex_};
  closed_ = true;
}

bool asio_timers::pop(timer_entry& entry) noexcept {
  std::lock_guard guard{mutex_};
  if (queue_.empty())
    return false;
  entry = queue_.pop();
  return true;
}

void asio_timers::arm() {
  if (closed_ || queue_.empty() || queue_.next_due() >= armed_)
    return;
  armed_ = queue_.next_due();
  alarm_->expires_at(armed_);
  alarm_->async_wait([this](const boost::system::error_code& error) {
    if (!error)
      ring();
  });
}

void asio_timers::ring() {
  runnable_list refused;
  {
    // Under the lock, so that timers are dispatched in order even if two alarms ring at once.
    std::lock_guard guard{mutex_};
    const auto now = clock::now();
    while (!queue_.empty() && queue_.next_due() <= now) {
      const auto entry = queue_.pop();
      if (!fire_(fire_context_, entry))
        refused.push(*entry.work);
    }
    armed_ = time_point::max();
    arm();
  }
  while (runnable* work = refused.pop())
    work->drop();
}

} // namespace troupe::platform
