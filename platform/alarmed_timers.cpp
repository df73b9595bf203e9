// Sets the alarm for whichever timer is due first.
#include "platform/alarmed_timers.hpp"

namespace troupe::platform {

timer_id alarmed_timers::add(const timer_entry& entry) {
  std::lock_guard guard{mutex_};
  if (closed_)
    return {};
  const auto id = queue_.add(entry);
  try {
    arm();
  } catch (...) {
    queue_.cancel(id);
    throw;
  }
  return id;
}

bool alarmed_timers::cancel(timer_id timer) noexcept {
  std::lock_guard guard{mutex_};
  return queue_.cancel(timer);
}

void alarmed_timers::close() noexcept {
  std::lock_guard guard{mutex_};
  if (!closed_)
    end_alarm();
  closed_ = true;
}

bool alarmed_timers::pop(timer_entry& entry) noexcept {
  std::lock_guard guard{mutex_};
  if (queue_.empty())
    return false;
  entry = queue_.pop();
  return true;
}

bool alarmed_timers::is_quiet() noexcept {
  std::lock_guard guard{mutex_};
  return dropping_ == 0;
}

void alarmed_timers::join() noexcept {
  std::unique_lock lock{mutex_};
  dropped_.wait(lock, [this] { return dropping_ == 0; });
}

void alarmed_timers::arm() {
  if (closed_ || queue_.empty() || queue_.next_due() >= armed_)
    return;
  armed_ = time_point::max(); // also if the alarm cannot be set
  set_alarm(queue_.next_due());
  armed_ = queue_.next_due();
}

void alarmed_timers::ring() {
  runnable_list refused;
  {
    std::lock_guard guard{mutex_};
    if (closed_)
      return;
    const auto now = clock::now();
    while (!queue_.empty() && queue_.next_due() <= now) {
      const auto entry = queue_.pop();
      if (!fire_(context_, entry))
        refused.push(*entry.work);
    }
    armed_ = time_point::max();
    arm();
    if (refused.empty())
      return;
    ++dropping_;
  }
  while (runnable* work = refused.pop())
    work->drop();
  {
    std::lock_guard guard{mutex_};
    --dropping_;
    dropped_.notify_all();
  }
  quiet_(context_);
}

} // namespace troupe::platform
