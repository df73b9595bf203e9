// The timers of the GCD dispatcher: the alarm is one dispatch source. Not installed.
#pragma once
#include "platform/alarmed_timers.hpp"
#include "platform/gcd_api.hpp"

namespace troupe::platform {

/// They fire on a thread of GCD's. Why not one source per timer? A source that was cancelled lives until GCD has got
/// round to it; an entry of the queue is gone when `cancel` returns.
class gcd_timers final : public alarmed_timers {
public:
  /// @param owner What this is a part of; callbacks keep it alive.
  gcd_timers(gcd_shared& owner, fire_function fire, quiet_function quiet, void* callback_context) noexcept
      : alarmed_timers{fire, quiet, callback_context}, owner_{owner} {}

private:
  void set_alarm(time_point due) override;
  void end_alarm() noexcept override;
  void make_alarm();

  gcd_shared& owner_;
  dispatch_source_t alarm_ = nullptr; ///< From the first timer until `close`.
};

} // namespace troupe::platform
