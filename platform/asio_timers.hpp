// The timers of the Asio dispatcher: the alarm is one Asio timer. Not installed.
#pragma once
#include "platform/alarmed_timers.hpp"
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace troupe::platform {

/// They fire on a thread of the io_context.
class asio_timers final : public alarmed_timers {
public:
  asio_timers(boost::asio::io_context& context, fire_function fire, quiet_function quiet, void* callback_context)
      : alarmed_timers{fire, quiet, callback_context}, alarm_{std::in_place, context} {}

  /// Lets go of the io_context. After `close`, when nobody runs it any more.
  void detach() noexcept { alarm_.reset(); }

private:
  void set_alarm(time_point due) override {
    alarm_->expires_at(due);
    alarm_->async_wait([this](const boost::system::error_code& error) {
      if (!error)
        ring();
    });
  }

  std::optional<boost::asio::steady_timer> alarm_;
};

} // namespace troupe::platform
