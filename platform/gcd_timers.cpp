// The dispatch source behind the timers.
#include "platform/gcd_timers.hpp"
#include <algorithm>

namespace troupe::platform {

void gcd_timers::make_alarm() {
  // Not a global queue, whose threads may all be blocked: by what waits for a timer, for example.
  const auto own = dispatch_queue_create("troupe timers", DISPATCH_QUEUE_SERIAL);
  if (!own)
    throw std::bad_alloc{};
  alarm_ = dispatch_source_create(DISPATCH_SOURCE_TYPE_TIMER, 0, 0, own);
  dispatch_release(own);
  if (!alarm_)
    throw std::bad_alloc{};
  dispatch_set_context(alarm_, this);
  dispatch_source_set_event_handler_f(alarm_, [](void* self) {
    note_taken(self);
    static_cast<gcd_timers*>(self)->ring();
    note_handed_over(self);
  });
  // Called when the last handler has ended and the source is gone.
  owner_.add_ref();
  dispatch_set_finalizer_f(alarm_, [](void* self) {
    note_taken(self);
    static_cast<gcd_timers*>(self)->owner_.release();
  });
  dispatch_source_set_timer(alarm_, DISPATCH_TIME_FOREVER, DISPATCH_TIME_FOREVER, 0);
  note_handed_over(this);
  dispatch_resume(alarm_);
}

void gcd_timers::set_alarm(time_point due) {
  if (!alarm_)
    make_alarm();
  // GCD counts from now, on a clock of its own; if that runs ahead, `ring` sets it again. A day at most, for the same
  // end.
  const auto wait = std::clamp<duration>(due - clock::now(), duration::zero(), std::chrono::hours{24});
  const auto wait_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(wait).count();
  dispatch_source_set_timer(alarm_, dispatch_time(DISPATCH_TIME_NOW, wait_ns), DISPATCH_TIME_FOREVER, 0);
}

void gcd_timers::end_alarm() noexcept {
  if (!alarm_)
    return;
  dispatch_source_cancel(alarm_);
  dispatch_release(alarm_);
  alarm_ = nullptr;
}

} // namespace troupe::platform
