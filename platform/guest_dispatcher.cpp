// Queues, lanes and timers of one thread that belongs to somebody else.
#include "platform/guest_dispatcher.hpp"
#include "platform/blocked_threads.hpp"
#include "platform/coarse_clock.hpp"
#include "platform/runnable_queue.hpp"
#include "platform/timer_queue.hpp"
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>
#include <utility>

namespace troupe::platform {
namespace {

constexpr lane no_lane{~std::uint32_t{0}};
constexpr std::size_t runnables_between_looks = 16; // at the clock and the timers

/// For bugs of the host that leave nothing to go on with.
[[noreturn]] void end_program(const char* what, const char* more) {
  std::fprintf(stderr, "troupe: bug: a guest %s%s\n", what, more);
  std::abort();
}

class guest final : public guest_dispatcher {
public:
  explicit guest(guest_dispatcher_options&& options) : options_{std::move(options)} {
    lanes_[background_lane.number].where = background_lane;
    lanes_[foreground_lane.number].where = foreground_lane;
  }

  ~guest() override {
    stop(duration::zero());
    while (auto* work = dropped_.pop())
      work->drop();
  }

  // -- the host's side --------------------------------------------------------

  std::size_t poll(std::size_t budget) override {
    if (!is_main_thread())
      end_program("was polled on another thread than the one that made it", "");
    {
      std::lock_guard guard{mutex_};
      ++polls_;
      asked_ = false;
    }
    std::size_t ran = 0;
    while (ran < budget && turn())
      ++ran;
    bool ask = false;
    {
      std::lock_guard guard{mutex_};
      --polls_;
      ask = has_ready() && claim_question();
    }
    if (ask)
      ask_host();
    return ran;
  }

  std::optional<time_point> next_deadline() const override {
    std::lock_guard guard{mutex_};
    if (has_ready())
      return time_point::min();
    return timers_.empty() ? std::nullopt : std::optional{timers_.next_due()};
  }

  // -- dispatcher -------------------------------------------------------------

  std::error_code dispatch(lane where, runnable& work, priority urgency) noexcept override {
    bool ask = false;
    {
      std::lock_guard guard{mutex_};
      if (stopping_)
        return dispatch_errc::stopped;
      auto* to = find(where);
      if (!to || to->closed)
        return dispatch_errc::unknown_lane;
      push(*to, work, urgency);
      ask = claim_question();
    }
    changed_.notify_one();
    if (ask)
      ask_host();
    return {};
  }

  timer_id dispatch_after(duration delay, lane where, runnable& work, priority urgency) override {
    assert(delay >= duration::zero());
    timer_id added;
    bool ask = false;
    {
      std::lock_guard guard{mutex_};
      auto* to = find(where);
      if (stopping_ || !to || to->closed)
        return {};
      const auto due = saturating_after(now(), delay);
      const bool is_first = timers_.empty() || due < timers_.next_due();
      added = timers_.add({due, where, &work, urgency});
      ask = is_first && claim_question();
    }
    changed_.notify_one();
    if (ask)
      ask_host();
    return added;
  }

  bool cancel(timer_id timer) noexcept override {
    std::lock_guard guard{mutex_};
    return timers_.cancel(timer);
  }

  time_point now() const noexcept override { return clock::now(); }
  time_point recent() const noexcept override { return coarse_now(); }
  bool is_main_thread() const noexcept override { return std::this_thread::get_id() == main_thread_; }
  bool is_on(lane where) const noexcept override { return is_main_thread() && current_ == where; }

  lane open_lane(std::string, std::error_code& error) override {
    std::lock_guard guard{mutex_};
    if (stopping_) {
      error = dispatch_errc::stopped;
      return {};
    }
    error.clear();
    lane opened{++last_lane_};
    lanes_[opened.number].where = opened;
    return opened;
  }

  void close_lane(lane where) noexcept override {
    std::lock_guard guard{mutex_};
    auto* closing = find(where);
    if (!closing || where == background_lane || where == foreground_lane)
      return;
    closing->closed = true;
    forget_if_done(*closing);
  }

  std::error_code block_until(latch& done, std::optional<time_point> deadline) override {
    if (!done.is_released()) {
      if (!is_main_thread())
        blocked_.wait(done, deadline);
      else if (options_.may_block)
        turn_until(done, deadline);
      else
        return dispatch_errc::cannot_block;
    }
    if (done.is_released()) {
      done.await_release();
      return {};
    }
    std::lock_guard guard{mutex_};
    return stopped_ ? dispatch_errc::stopped : dispatch_errc::timed_out;
  }

  bool stop(duration deadline) override {
    assert(!is_main_thread() || current_ == no_lane);
    std::lock_guard once{stop_mutex_};
    std::unique_lock lock{mutex_};
    if (stopped_)
      return ended_in_time_;
    stopping_ = true;
    const auto give_up = saturating_after(now(), deadline);
    while (!timers_.empty())
      drop_later_or_now(timers_.pop(), lock);
    if (is_main_thread()) {
      // Nothing but this thread can make anything ready any more.
      while (!is_quiet() && now() < give_up) {
        lock.unlock();
        const bool turned = turn();
        lock.lock();
        if (!turned)
          break;
      }
    } else {
      while (!is_quiet() && now() < give_up)
        changed_.wait_until(lock, give_up);
    }
    ended_in_time_ = is_quiet();
    abandon_queues(lock);
    stopped_ = true;
    lock.unlock();
    changed_.notify_all();
    blocked_.release_all();
    return ended_in_time_;
  }

  std::size_t thread_count() const noexcept override { return 0; }

private:
  struct lane_state {
    lane where;
    priority_lists queue;
    bool closed = false;
    bool busy = false; ///< A runnable of this dedicated lane is running: it is serial also while that waits.
    bool in_ring = false;
    lane_state* next = nullptr; ///< In the ring of lanes with work.
  };

  /// Without the lock. What it throws could be handed to nobody, and the host would not wake up.
  void ask_host() noexcept {
    try {
      options_.wake_up();
    } catch (const std::exception& error) {
      end_program("has a wake_up that threw: ", error.what());
    } catch (...) {
      end_program("has a wake_up that threw", "");
    }
  }

  // All that follows expects the lock to be held, except as it says.

  lane_state* find(lane where) noexcept {
    auto at = lanes_.find(where.number);
    return at == lanes_.end() ? nullptr : &at->second;
  }

  bool has_ready() const noexcept {
    return ring_first_ || !dropped_.empty() || (!timers_.empty() && timers_.next_due() <= now());
  }

  /// Whether the caller has to ask the host for a poll, once it has let go of the lock.
  bool claim_question() noexcept { return options_.wake_up && polls_ == 0 && !std::exchange(asked_, true); }

  void push(lane_state& to, runnable& work, priority urgency) noexcept {
    to.queue.push(work, urgency);
    enter_ring(to);
  }

  void enter_ring(lane_state& ready) noexcept {
    if (ready.in_ring || ready.busy)
      return;
    ready.in_ring = true;
    ready.next = nullptr;
    (ring_first_ ? ring_last_->next : ring_first_) = &ready;
    ring_last_ = &ready;
  }

  void forget_if_done(lane_state& of) noexcept {
    if (of.closed && of.queue.empty() && !of.busy)
      lanes_.erase(of.where.number);
  }

  bool is_quiet() const noexcept { return running_ == 0 && !ring_first_ && dropped_.empty(); }

  void queue_due_timers() noexcept {
    if (timers_.empty())
      return;
    const auto at = now();
    while (!timers_.empty() && timers_.next_due() <= at) {
      auto due = timers_.pop();
      auto* to = find(due.where);
      if (!to || to->closed)
        dropped_.push(*due.work);
      else
        push(*to, *due.work, due.urgency);
    }
  }

  /// Runs one runnable. Without the lock, on the main thread. @returns false if none was ready.
  bool turn() noexcept {
    std::unique_lock lock{mutex_};
    if (!ring_first_ || ++turns_ % runnables_between_looks == 0)
      queue_due_timers();
    if (auto* work = dropped_.pop()) {
      ++running_;
      lock.unlock();
      work->drop();
      lock.lock();
      ended();
      return true;
    }
    auto* from = ring_first_;
    if (!from)
      return false;
    ring_first_ = from->next;
    from->in_ring = false;
    auto* work = from->queue.pop();
    const auto where = from->where;
    const bool is_dedicated = where != background_lane && where != foreground_lane;
    from->busy = is_dedicated;
    if (!from->queue.empty())
      enter_ring(*from);
    ++running_;
    lock.unlock();
    const auto outer = std::exchange(current_, where);
    work->run();
    current_ = outer;
    lock.lock();
    if (is_dedicated) {
      from->busy = false;
      if (!from->queue.empty())
        enter_ring(*from);
      forget_if_done(*from);
    }
    ended();
    return true;
  }

  void ended() noexcept {
    if (--running_ == 0 && stopping_)
      changed_.notify_all();
  }

  /// Without the lock, on the main thread.
  void turn_until(latch& done, std::optional<time_point> deadline) {
    done.on_release(
        [](void* context) noexcept {
          auto& self = *static_cast<guest*>(context);
          std::lock_guard guard{self.mutex_};
          self.changed_.notify_all();
        },
        this);
    for (;;) {
      // A wait that is over ends, whatever else there is to do.
      if (done.is_released() || (deadline && now() >= *deadline))
        break;
      if (turn())
        continue;
      std::unique_lock lock{mutex_};
      if (stopped_)
        break;
      if (has_ready() || done.is_released())
        continue;
      auto until = deadline.value_or(time_point::max());
      if (!timers_.empty())
        until = std::min(until, timers_.next_due());
      if (until == time_point::max())
        changed_.wait(lock);
      else
        changed_.wait_until(lock, until);
    }
    done.on_release(nullptr, nullptr);
  }

  void drop_later_or_now(const timer_entry& entry, std::unique_lock<std::mutex>& lock) noexcept {
    if (entry.where == foreground_lane && !is_main_thread()) {
      dropped_.push(*entry.work); // where the foreground lane's work is dropped: by the host's next poll
      return;
    }
    lock.unlock();
    entry.work->drop();
    lock.lock();
  }

  void abandon_queues(std::unique_lock<std::mutex>& lock) noexcept {
    runnable_list here;
    while (auto* from = std::exchange(ring_first_, ring_first_ ? ring_first_->next : nullptr)) {
      from->in_ring = false;
      while (auto* work = from->queue.pop())
        (from->where == foreground_lane ? dropped_ : here).push(*work);
    }
    // A busy lane with work is not in the ring.
    for (auto& [number, state] : lanes_)
      while (auto* work = state.queue.pop())
        here.push(*work);
    if (is_main_thread())
      here.splice(dropped_);
    lock.unlock();
    while (auto* work = here.pop())
      work->drop();
    lock.lock();
    if (!dropped_.empty() && claim_question()) {
      lock.unlock();
      ask_host();
      lock.lock();
    }
  }

  const guest_dispatcher_options options_;
  const std::thread::id main_thread_ = std::this_thread::get_id();
  mutable std::mutex mutex_;
  std::condition_variable changed_;           // something became ready, or quiet
  std::map<std::uint32_t, lane_state> lanes_; // guarded by mutex_, like all that follows
  std::uint32_t last_lane_ = foreground_lane.number;
  lane_state* ring_first_ = nullptr;
  lane_state* ring_last_ = nullptr; // means something only while there is a first
  runnable_list dropped_;           // to be dropped on the main thread
  timer_queue timers_;
  std::uint64_t turns_ = 0;
  int running_ = 0; // runnables whose run has not returned; they nest
  int polls_ = 0;   // the same, of polls
  bool asked_ = false;
  bool stopping_ = false;
  bool stopped_ = false;
  bool ended_in_time_ = false;
  lane current_ = no_lane; // the main thread's alone
  std::mutex stop_mutex_;
  blocked_threads blocked_;
};

} // namespace

std::unique_ptr<guest_dispatcher> make_guest_dispatcher(guest_dispatcher_options options) {
  return std::make_unique<guest>(std::move(options));
}

} // namespace troupe::platform
