// The parts of the Asio dispatcher, put together.
#include "platform/asio_dispatcher.hpp"
#include "platform/asio_context.hpp"
#include "platform/asio_foreground.hpp"
#include "platform/asio_pool.hpp"
#include "platform/asio_timers.hpp"
#include "platform/coarse_clock.hpp"
#include "platform/dedicated_lanes.hpp"
#include "platform/threaded_core.hpp"

namespace troupe::platform {
namespace {

std::size_t thread_count_of(const asio_dispatcher_options& options) noexcept {
  return options.thread_count > 0 ? options.thread_count
                                  : std::max<std::size_t>(std::thread::hardware_concurrency(), 2);
}

class asio_dispatcher final : public dispatcher, threaded_core<asio_dispatcher> {
  using core = threaded_core<asio_dispatcher>;
  friend core;

public:
  explicit asio_dispatcher(const asio_dispatcher_options& options)
      : pool{*background_, thread_count_of(options), on_quiet, this}, timers{*background_, on_timer, on_quiet, this},
        foreground{on_quiet, this}, lanes{on_quiet, this} {
    try {
      pool.start();
    } catch (...) {
      shut_down();
      throw;
    }
  }

  ~asio_dispatcher() override { shut_down(); }

  std::error_code dispatch(lane where, runnable& work, priority urgency) noexcept override {
    return core::dispatch(where, work, urgency);
  }
  timer_id dispatch_after(duration delay, lane where, runnable& work, priority urgency) override {
    return core::dispatch_after(delay, where, work, urgency);
  }
  bool cancel(timer_id timer) noexcept override { return timers.cancel(timer); }
  time_point now() const noexcept override { return clock::now(); }
  time_point recent() const noexcept override { return coarse_now(); }
  bool is_main_thread() const noexcept override { return foreground.is_main_thread(); }
  bool is_on(lane where) const noexcept override { return core::is_on(where); }
  lane open_lane(std::string name, std::error_code& error) override { return lanes.open(name, error); }
  void close_lane(lane where) noexcept override { lanes.close(where); }
  std::error_code block_until(latch& done, std::optional<time_point> deadline) override {
    return core::block_until(done, deadline);
  }
  bool stop(duration deadline) override { return core::stop(deadline); }
  std::size_t thread_count() const noexcept override { return pool.thread_count() + lanes.thread_count(); }

  boost::asio::io_context& background_context() noexcept { return *background_; }
  boost::asio::io_context& foreground_context() noexcept { return foreground.context(); }

private:
  void shut_down() noexcept {
    core::shut_down();
    // Pending handlers are destroyed while everything that they may call is still here.
    timers.detach();
    guard_.reset();
    background_.reset();
    foreground.destroy_context();
  }

  std::optional<boost::asio::io_context> background_{std::in_place};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{background_->get_executor()};
  // For the core.
  asio_pool pool;
  asio_timers timers;
  asio_foreground foreground;
  dedicated_lanes lanes;
};

asio_dispatcher& asio_dispatcher_of(dispatcher& where) noexcept {
  auto* self = dynamic_cast<asio_dispatcher*>(&where);
  assert(self && "not made by make_asio_dispatcher");
  return *self;
}

} // namespace

std::unique_ptr<dispatcher> make_asio_dispatcher(asio_dispatcher_options options) {
  return std::make_unique<asio_dispatcher>(options);
}

boost::asio::io_context& background_context(dispatcher& where) noexcept {
  return asio_dispatcher_of(where).background_context();
}

boost::asio::io_context* find_background_context(dispatcher& where) noexcept {
  auto* self = dynamic_cast<asio_dispatcher*>(&where);
  return self ? &self->background_context() : nullptr;
}

boost::asio::io_context& foreground_context(dispatcher& where) noexcept {
  return asio_dispatcher_of(where).foreground_context();
}

} // namespace troupe::platform
