// Arms the one dispatch source for whichever timer is due first.
#include "platform/gcd_timers.hpp"
#include <algorithm>

namespace troupe::platform {

gcd_timers::gcd_timers(gcd_shared& owner, bool (*fire)(void*, const timer_entry&) noexcept, void* fire_context)
    : owner_{owner}, fire_{fire}, fire_context_{fire_context} {}

timer_id gcd_timers::add(const timer_entry& entry) {
  std::lock_guard guard{mutex_};
  if (closed_)
    return {};
  if (!alarm_) {
    alarm_ = dispatch_source_create(DISPATCH_SOURCE_TYPE_TIMER, 0, 0, global_queue(priority::critical));
    if (!alarm_)
      throw std::bad_alloc{};
    dispatch_set_context(alarm_, this);
    dispatch_source_set_event_handler_f(alarm_, [](void* self) { static_cast<gcd_timers*>(self)->ring(); });
    // Called when the last handler has ended and the source is gone.
    owner_.add_ref();
    dispatch_set_finalizer_f(alarm_, [](void* self) { static_cast<gcd_timers*>(self)->owner_.release(); });
    dispatch_source_set_timer(alarm_, DISPATCH_TIME_FOREVER, DISPATCH_TIME_FOREVER, 0);
    dispatch_resume(alarm_);
  }
  const auto id = queue_.add(entry);
  arm();
  return id;
}

bool gcd_timers::cancel(timer_id timer) noexcept {
  // The alarm stays as it is: ringing for nothing costs less than arming it anew for every timeout taken back.
  std::lock_guard guard{mutex_};
  return queue_.cancel(timer);
}

void gcd_timers::close() noexcept {
  std::lock_guard guard{mutex_};
  closed_ = true;
  if (alarm_) {
    dispatch_source_cancel(alarm_);
    dispatch_release(alarm_);
    alarm_ = nullptr;
  }
}

bool gcd_timers::pop(timer_entry& entry) noexcept {
  std::lock_guard guard{mutex_};
  if (queue_.empty())
    return false;
  entry = queue_.pop();
  return true;
}

void gcd_timers::arm() noexcept {
  if (closed_ || queue_.empty() || queue_.next_due() >= armed_)
    return;
  armed_ = queue_.next_due();
  // GCD counts from now, on a clock of its own; if that runs ahead, `ring` arms again. A day at most, for the same end.
  const auto wait = std::clamp<duration>(armed_ - clock::now(), duration::zero(), std::chrono::hours{24});
  const auto wait_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(wait).count();
  dispatch_source_set_timer(alarm_, dispatch_time(DISPATCH_TIME_NOW, wait_ns), DISPATCH_TIME_FOREVER, 0);
}

void gcd_timers::ring() noexcept {
  runnable_list refused;
  {
    std::lock_guard guard{mutex_};
    if (closed_)
      return;
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
