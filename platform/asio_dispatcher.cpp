// Puts the lanes and the timers together, and stops them in order.
#include "platform/asio_dispatcher.hpp"
#include "platform/asio_context.hpp"
#include "platform/asio_foreground.hpp"
#include "platform/asio_pool.hpp"
#include "platform/asio_timers.hpp"
#include "platform/blocked_threads.hpp"
#include "platform/coarse_clock.hpp"
#include "platform/dedicated_lanes.hpp"

namespace troupe::platform {
namespace {

std::size_t thread_count_of(const asio_dispatcher_options& options) noexcept {
  return options.thread_count > 0 ? options.thread_count
                                  : std::max<std::size_t>(std::thread::hardware_concurrency(), 2);
}

class asio_dispatcher final : public dispatcher {
public:
  explicit asio_dispatcher(const asio_dispatcher_options& options)
      : pool_{*background_, thread_count_of(options), on_quiet, this}, timers_{*background_, on_timer, this},
        foreground_{on_quiet, this}, lanes_{on_quiet, this} {
    try {
      pool_.start();
    } catch (...) {
      shut_down();
      throw;
    }
  }

  ~asio_dispatcher() override { shut_down(); }

  std::error_code dispatch(lane where, runnable& work, priority urgency) noexcept override {
    bool taken = false;
    if (where == background_lane)
      taken = pool_.push(work, urgency);
    else if (where == foreground_lane)
      taken = foreground_.push(work, urgency);
    else if (!stopping_.load(std::memory_order_acquire))
      return lanes_.push(where, work, urgency);
    return taken ? std::error_code{} : make_error_code(dispatch_errc::stopped);
  }

  timer_id dispatch_after(duration delay, lane where, runnable& work, priority urgency) override {
    assert(delay >= duration::zero());
    return timers_.add({saturating_after(now(), delay), where, &work, urgency});
  }

  bool cancel(timer_id timer) noexcept override { return timers_.cancel(timer); }

  time_point now() const noexcept override { return clock::now(); }

  time_point recent() const noexcept override { return coarse_now(); }

  bool is_main_thread() const noexcept override { return foreground_.is_main_thread(); }

  bool is_on(lane where) const noexcept override {
    if (where == background_lane)
      return pool_.is_worker_thread();
    return where == foreground_lane ? foreground_.is_running() : lanes_.is_on(where);
  }

  lane open_lane(std::string name, std::error_code& error) override { return lanes_.open(std::move(name), error); }

  void close_lane(lane where) noexcept override { lanes_.close(where); }

  std::error_code block_until(latch& done, std::optional<time_point> deadline) override {
    if (!done.is_released()) {
      if (is_main_thread()) {
        wait_on_main_thread(done, deadline);
      } else {
        pool_.surrender();
        blocked_.wait(done, deadline);
      }
    }
    if (done.is_released()) {
      done.await_release();
      return {};
    }
    return make_error_code(stopped_.load() ? dispatch_errc::stopped : dispatch_errc::timed_out);
  }

  bool stop(duration deadline) override {
    assert(!pool_.is_worker_thread() && !foreground_.is_running());
    std::lock_guard guard{stop_mutex_};
    if (stopped_.load())
      return ended_in_time_;
    const auto give_up = saturating_after(now(), deadline);
    stopping_.store(true, std::memory_order_release);
    timers_.close();
    timer_entry pending;
    while (timers_.pop(pending))
      drop_timer(pending);
    lanes_.close_all();
    pool_.close();
    foreground_.close();
    if (is_main_thread()) {
      foreground_.run_until([this] { return is_quiet(); }, give_up);
    } else {
      std::unique_lock lock{quiet_mutex_};
      while (!is_quiet() && now() < give_up)
        quiet_changed_.wait_until(lock, give_up);
    }
    ended_in_time_ = is_quiet();
    pool_.halt();
    lanes_.abandon();
    foreground_.abandon();
    stopped_.store(true);
    foreground_.nudge();
    blocked_.release_all();
    return ended_in_time_;
  }

  std::size_t thread_count() const noexcept override { return pool_.thread_count() + lanes_.thread_count(); }

  boost::asio::io_context& background() noexcept { return *background_; }
  boost::asio::io_context& foreground() noexcept { return foreground_.context(); }

private:
  void wait_on_main_thread(latch& done, std::optional<time_point> deadline) {
    // Unhooks the latch also if a handler of the host throws.
    struct hook {
      latch& done;
      hook(latch& which, asio_foreground& lane) : done{which} {
        done.on_release([](void* context) noexcept { static_cast<asio_foreground*>(context)->nudge(); }, &lane);
      }
      ~hook() { done.on_release(nullptr, nullptr); }
    } hooked{done, foreground_};
    foreground_.run_until([&] { return done.is_released() || stopped_.load(); }, deadline);
  }

  bool is_quiet() noexcept { return pool_.is_quiet() && lanes_.is_quiet() && foreground_.is_quiet(); }

  /// Somebody has nothing left to do: `stop` looks again.
  static void on_quiet(void* context) noexcept {
    auto& self = *static_cast<asio_dispatcher*>(context);
    if (!self.stopping_.load(std::memory_order_acquire))
      return;
    self.foreground_.nudge();
    std::lock_guard guard{self.quiet_mutex_};
    self.quiet_changed_.notify_all();
  }

  static bool on_timer(void* context, const timer_entry& entry) noexcept {
    auto& self = *static_cast<asio_dispatcher*>(context);
    if (!self.dispatch(entry.where, *entry.work, entry.urgency))
      return true;
    if (entry.where != foreground_lane)
      return false;
    self.foreground_.push_dropped(*entry.work);
    return true;
  }

  void drop_timer(const timer_entry& entry) noexcept {
    if (entry.where == foreground_lane && !is_main_thread())
      foreground_.push_dropped(*entry.work);
    else
      entry.work->drop();
  }

  void shut_down() noexcept {
    stop(duration::zero());
    lanes_.join();
    pool_.join();
    foreground_.drop_queued();
    // Pending handlers are destroyed while everything that they may call is still here.
    timers_.detach();
    guard_.reset();
    background_.reset();
    foreground_.destroy_context();
  }

  std::optional<boost::asio::io_context> background_{std::in_place};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{background_->get_executor()};
  asio_pool pool_;
  asio_timers timers_;
  asio_foreground foreground_;
  dedicated_lanes lanes_;
  blocked_threads blocked_;

  std::atomic<bool> stopping_ = false;
  std::atomic<bool> stopped_ = false;
  std::mutex stop_mutex_;
  bool ended_in_time_ = false;
  std::mutex quiet_mutex_;
  std::condition_variable quiet_changed_;
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
  return asio_dispatcher_of(where).background();
}

boost::asio::io_context* find_background_context(dispatcher& where) noexcept {
  auto* self = dynamic_cast<asio_dispatcher*>(&where);
  return self ? &self->background() : nullptr;
}

boost::asio::io_context& foreground_context(dispatcher& where) noexcept {
  return asio_dispatcher_of(where).foreground();
}

} // namespace troupe::platform
