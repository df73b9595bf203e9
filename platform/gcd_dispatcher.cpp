// The parts of the GCD dispatcher, put together.
#include "platform/gcd_dispatcher.hpp"
#include "platform/coarse_clock.hpp"
#include "platform/gcd_foreground.hpp"
#include "platform/gcd_lanes.hpp"
#include "platform/gcd_main_queue.hpp"
#include "platform/gcd_pool.hpp"
#include "platform/gcd_timers.hpp"
#include "platform/threaded_core.hpp"
#include <stdexcept>
#include <thread>

namespace troupe::platform {
namespace {

std::size_t width_of(const gcd_dispatcher_options& options) {
  if (options.width > gcd_pool::width_max)
    throw std::invalid_argument{"a GCD dispatcher runs at most 64 background runnables at once"};
  if (options.width > 0)
    return options.width;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 2, gcd_pool::width_max);
}

/// Everything, in one piece that callbacks keep alive.
class gcd_core final : public gcd_shared, public threaded_core<gcd_core> {
public:
  explicit gcd_core(std::size_t width)
      : pool{*this, width, on_quiet, this}, timers{*this, on_timer, on_quiet, this},
        foreground{*this, on_quiet, this}, lanes{*this, on_quiet, this} {}

  using threaded_core::shut_down;
  bool is_main_thread() const noexcept { return is_on_main_queue(); }

  gcd_pool pool;
  gcd_timers timers;
  gcd_foreground foreground;
  gcd_lanes lanes;
};

class gcd_dispatcher final : public dispatcher {
public:
  explicit gcd_dispatcher(std::size_t width) : core_{new gcd_core{width}} {}
  ~gcd_dispatcher() override {
    core_->shut_down();
    core_->release();
  }

  std::error_code dispatch(lane where, runnable& work, priority urgency) noexcept override {
    return core_->dispatch(where, work, urgency);
  }
  timer_id dispatch_after(duration delay, lane where, runnable& work, priority urgency) override {
    return core_->dispatch_after(delay, where, work, urgency);
  }
  bool cancel(timer_id timer) noexcept override { return core_->timers.cancel(timer); }
  time_point now() const noexcept override { return clock::now(); }
  time_point recent() const noexcept override { return coarse_now(); }
  bool is_main_thread() const noexcept override { return core_->is_main_thread(); }
  bool is_on(lane where) const noexcept override { return core_->is_on(where); }
  lane open_lane(std::string name, std::error_code& error) override { return core_->lanes.open(name, error); }
  void close_lane(lane where) noexcept override { core_->lanes.close(where); }
  std::error_code block_until(latch& done, std::optional<time_point> deadline) override {
    return core_->block_until(done, deadline);
  }
  bool stop(duration deadline) override { return core_->stop(deadline); }
  std::size_t thread_count() const noexcept override { return 0; }

private:
  gcd_core* core_;
};

} // namespace

std::unique_ptr<dispatcher> make_gcd_dispatcher(gcd_dispatcher_options options) {
  const auto width = width_of(options);
  if (!is_on_main_queue())
    throw std::system_error{make_error_code(dispatch_errc::wrong_thread), "a GCD dispatcher is made on the main queue"};
  return std::make_unique<gcd_dispatcher>(width);
}

} // namespace troupe::platform
