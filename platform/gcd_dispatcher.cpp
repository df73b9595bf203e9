// Puts the lanes and the timers on GCD together, and stops them in order.
#include "platform/gcd_dispatcher.hpp"
#include "platform/blocked_threads.hpp"
#include "platform/coarse_clock.hpp"
#include "platform/gcd_foreground.hpp"
#include "platform/gcd_lanes.hpp"
#include "platform/gcd_main_queue.hpp"
#include "platform/gcd_pool.hpp"
#include "platform/gcd_timers.hpp"
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
class gcd_core final : public gcd_shared {
public:
  explicit gcd_core(std::size_t width)
      : pool{*this, width, on_quiet, this}, timers{*this, on_timer, this},
        foreground{*this, on_quiet, this}, lanes{*this, on_quiet, this} {}

  std::error_code dispatch(lane where, runnable& work, priority urgency) noexcept {
    bool taken = false;
    if (where == background_lane)
      taken = pool.push(work, urgency);
    else if (where == foreground_lane)
      taken = foreground.push(work, urgency);
    else if (!stopping.load(std::memory_order_acquire))
      return lanes.push(where, work, urgency);
    return taken ? std::error_code{} : make_error_code(dispatch_errc::stopped);
  }

  bool stop(duration deadline) {
    assert(!pool.is_worker_thread() && !foreground.is_running());
    std::lock_guard guard{stop_mutex_};
    if (stopped.load())
      return ended_in_time_;
    const auto give_up = saturating_after(clock::now(), deadline);
    stopping.store(true, std::memory_order_release);
    timers.close();
    timer_entry pending;
    while (timers.pop(pending))
      drop_timer(pending);
    lanes.close_all();
    pool.close();
    foreground.close();
    if (is_on_main_queue()) {
      foreground.run_until([this] { return is_quiet(); }, give_up);
    } else {
      std::unique_lock lock{quiet_mutex_};
      while (!is_quiet() && clock::now() < give_up)
        quiet_changed_.wait_until(lock, give_up);
    }
    ended_in_time_ = is_quiet();
    pool.halt();
    lanes.abandon();
    foreground.abandon();
    stopped.store(true);
    foreground.nudge();
    blocked.release_all();
    return ended_in_time_;
  }

  void shut_down() noexcept {
    stop(duration::zero());
    lanes.join();
    pool.join();
    foreground.drop_queued();
  }

  gcd_pool pool;
  gcd_timers timers;
  gcd_foreground foreground;
  gcd_lanes lanes;
  blocked_threads blocked;
  std::atomic<bool> stopping = false;
  std::atomic<bool> stopped = false;

private:
  bool is_quiet() noexcept { return pool.is_quiet() && lanes.is_quiet() && foreground.is_quiet(); }

  /// Somebody has nothing left to do: `stop` looks again.
  static void on_quiet(void* context) noexcept {
    auto& self = *static_cast<gcd_core*>(context);
    if (!self.stopping.load(std::memory_order_acquire))
      return;
    self.foreground.nudge();
    std::lock_guard guard{self.quiet_mutex_};
    self.quiet_changed_.notify_all();
  }

  static bool on_timer(void* context, const timer_entry& entry) noexcept {
    auto& self = *static_cast<gcd_core*>(context);
    if (!self.dispatch(entry.where, *entry.work, entry.urgency))
      return true;
    if (entry.where != foreground_lane)
      return false;
    self.foreground.push_dropped(*entry.work);
    return true;
  }

  void drop_timer(const timer_entry& entry) noexcept {
    if (entry.where == foreground_lane && !is_on_main_queue())
      foreground.push_dropped(*entry.work);
    else
      entry.work->drop();
  }

  std::mutex stop_mutex_;
  bool ended_in_time_ = false;
  std::mutex quiet_mutex_;
  std::condition_variable quiet_changed_;
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
    assert(delay >= duration::zero());
    return core_->timers.add({saturating_after(now(), delay), where, &work, urgency});
  }

  bool cancel(timer_id timer) noexcept override { return core_->timers.cancel(timer); }

  time_point now() const noexcept override { return clock::now(); }

  time_point recent() const noexcept override { return coarse_now(); }

  bool is_main_thread() const noexcept override { return is_on_main_queue(); }

  bool is_on(lane where) const noexcept override {
    if (where == background_lane)
      return core_->pool.is_worker_thread();
    return where == foreground_lane ? core_->foreground.is_running() : core_->lanes.is_on(where);
  }

  lane open_lane(std::string name, std::error_code& error) override { return core_->lanes.open(name, error); }

  void close_lane(lane where) noexcept override { core_->lanes.close(where); }

  std::error_code block_until(latch& done, std::optional<time_point> deadline) override {
    if (!done.is_released()) {
      if (is_main_thread()) {
        wait_on_main_queue(done, deadline);
      } else {
        core_->pool.surrender();
        core_->blocked.wait(done, deadline);
      }
    }
    if (done.is_released()) {
      done.await_release();
      return {};
    }
    return make_error_code(core_->stopped.load() ? dispatch_errc::stopped : dispatch_errc::timed_out);
  }

  bool stop(duration deadline) override { return core_->stop(deadline); }

  std::size_t thread_count() const noexcept override { return 0; }

private:
  void wait_on_main_queue(latch& done, std::optional<time_point> deadline) {
    // Unhooks the latch also if a block of the host throws.
    struct hook {
      latch& done;
      hook(latch& which, gcd_foreground& lane) : done{which} {
        done.on_release([](void* context) noexcept { static_cast<gcd_foreground*>(context)->nudge(); }, &lane);
      }
      ~hook() { done.on_release(nullptr, nullptr); }
    } hooked{done, core_->foreground};
    core_->foreground.run_until([&] { return done.is_released() || core_->stopped.load(); }, deadline);
  }

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
