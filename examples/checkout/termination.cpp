// Termination signals through Asio.
#include "examples/checkout/termination.hpp"
#include "platform/asio_context.hpp"
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <mutex>
#include <utility>

namespace checkout {

struct termination::state {
  state(boost::asio::io_context& context, std::function<void()> call)
      : signals(context, SIGTERM, SIGINT), heard(std::move(call)) {}

  void on_signal() {
    std::lock_guard guard{mutex}; // Held during the call: the destructor waits for its end.
    boost::system::error_code ignored;
    signals.clear(ignored); // Restores what a signal does by default.
    if (const auto call = std::exchange(heard, nullptr))
      call();
  }

  std::mutex mutex; // guards both
  boost::asio::signal_set signals;
  std::function<void()> heard;
};

termination::termination(troupe::platform::dispatcher& dispatcher, std::function<void()> heard)
    : state_(std::make_shared<state>(troupe::platform::background_context(dispatcher), std::move(heard))) {
  state_->signals.async_wait([kept = state_](const boost::system::error_code& error, int) {
    if (!error)
      kept->on_signal();
  });
}

termination::~termination() {
  std::lock_guard guard{state_->mutex};
  boost::system::error_code ignored;
  state_->signals.clear(ignored);
  state_->signals.cancel(ignored);
  state_->heard = nullptr;
}

} // namespace checkout
