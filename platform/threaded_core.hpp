// What dispatchers with threads have in common: how lanes and timers are put together, and how they stop. Not
// installed.
#pragma once
#include "platform/blocked_threads.hpp"
#include "platform/dispatcher.hpp"
#include "platform/timer_queue.hpp"
#include <atomic>
#include <cassert>
#include <condition_variable>
#include <mutex>

namespace troupe::platform {

/// The base of `Core`, which has the members `pool`, `timers`, `foreground` and `lanes`, made with `on_quiet` and
/// `on_timer` as their callbacks and itself as the context, and `is_main_thread()`. Any thread, as the dispatcher says.
template <class Core>
class threaded_core {
public:
  threaded_core(const threaded_core&) = delete;
  threaded_core& operator=(const threaded_core&) = delete;

  std::error_code dispatch(lane where, runnable& work, priority urgency) noexcept {
    bool taken = false;
    if (where == background_lane)
      taken = self().pool.push(work, urgency);
    else if (where == foreground_lane)
      taken = self().foreground.push(work, urgency);
    else if (!stopping_.load(std::memory_order_acquire))
      return self().lanes.push(where, work, urgency);
    return taken ? std::error_code{} : make_error_code(dispatch_errc::stopped);
  }

  timer_id dispatch_after(duration delay, lane where, runnable& work, priority urgency) {
    assert(delay >= duration::zero());
    return self().timers.add({saturating_after(clock::now(), delay), where, &work, urgency});
  }

  bool is_on(lane where) const noexcept {
    auto& all = static_cast<const Core&>(*this);
    if (where == background_lane)
      return all.pool.is_worker_thread();
    return where == foreground_lane ? all.foreground.is_running() : all.lanes.is_on(where);
  }

  std::error_code block_until(latch& done, std::optional<time_point> deadline) {
    if (!done.is_released()) {
      if (self().is_main_thread()) {
        wait_on_main_thread(done, deadline);
      } else {
        self().pool.surrender();
        blocked_.wait(done, deadline);
      }
    }
    if (done.is_released()) {
      done.await_release();
      return {};
    }
    return make_error_code(stopped_.load() ? dispatch_errc::stopped : dispatch_errc::timed_out);
  }

  /// Refuses new work, drops timers, waits until everything else has run, and drops at the deadline what has not.
  bool stop(duration deadline) {
    assert(!self().pool.is_worker_thread() && !self().foreground.is_running());
    std::lock_guard guard{stop_mutex_};
    if (stopped_.load())
      return ended_in_time_;
    const auto give_up = saturating_after(clock::now(), deadline);
    stopping_.store(true, std::memory_order_release);
    self().timers.close();
    timer_entry pending;
    while (self().timers.pop(pending))
      drop_timer(pending);
    self().lanes.close_all();
    self().pool.close();
    self().foreground.close();
    if (self().is_main_thread()) {
      ended_in_time_ = self().foreground.run_until([this] { return is_quiet(); }, give_up);
    } else {
      std::unique_lock lock{quiet_mutex_};
      while (!(ended_in_time_ = is_quiet()) && clock::now() < give_up)
        quiet_changed_.wait_until(lock, give_up);
    }
    self().pool.halt();
    self().lanes.abandon();
    self().foreground.abandon();
    stopped_.store(true);
    self().foreground.nudge();
    blocked_.release_all();
    return ended_in_time_;
  }

protected:
  threaded_core() = default;
  ~threaded_core() = default;

  /// For a destructor: stops at once, and waits for what runs.
  void shut_down() noexcept {
    stop(duration::zero());
    self().lanes.join();
    self().pool.join();
    self().timers.join();
    self().foreground.drop_queued();
  }

  /// Somebody has nothing left to do: `stop` looks again.
  static void on_quiet(void* context) noexcept {
    auto& core = *static_cast<Core*>(context);
    if (!core.stopping_.load(std::memory_order_acquire))
      return;
    core.foreground.nudge();
    std::lock_guard guard{core.quiet_mutex_};
    core.quiet_changed_.notify_all();
  }

  static bool on_timer(void* context, const timer_entry& entry) noexcept {
    auto& core = *static_cast<Core*>(context);
    if (!core.dispatch(entry.where, *entry.work, entry.urgency))
      return true;
    if (entry.where != foreground_lane)
      return false;
    core.foreground.push_dropped(*entry.work);
    return true;
  }

private:
  Core& self() noexcept { return static_cast<Core&>(*this); }

  /// Once this was true while stopping, everything has ended for good. It may be false again all the same: a worker
  /// that only looks around, or runs a handler of the host's, is not idle meanwhile.
  bool is_quiet() noexcept {
    return self().timers.is_quiet() && self().pool.is_quiet() && self().lanes.is_quiet() &&
           self().foreground.is_quiet();
  }

  void wait_on_main_thread(latch& done, std::optional<time_point> deadline) {
    // Unhooks the latch also if something of the host's throws.
    struct hook {
      latch& done;
      hook(latch& which, Core& core) : done{which} {
        done.on_release([](void* context) noexcept { static_cast<Core*>(context)->foreground.nudge(); }, &core);
      }
      ~hook() { done.on_release(nullptr, nullptr); }
    } hooked{done, self()};
    self().foreground.run_until([&] { return done.is_released() || stopped_.load(); }, deadline);
  }

  void drop_timer(const timer_entry& entry) noexcept {
    if (entry.where == foreground_lane && !self().is_main_thread())
      self().foreground.push_dropped(*entry.work);
    else
      entry.work->drop();
  }

  blocked_threads blocked_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> stopped_ = false;
  std::mutex stop_mutex_;
  bool ended_in_time_ = false;
  std::mutex quiet_mutex_;
  std::condition_variable quiet_changed_;
};

} // namespace troupe::platform
