// The pump of the foreground lane, and the main thread's waits.
#include "platform/gcd_foreground.hpp"
#include "platform/gcd_main_queue.hpp"
#include "platform/thread_release.hpp"
#include <mutex>

namespace troupe::platform {
namespace {
constexpr unsigned runnables_per_turn = 64;

/// The lane whose runnable the main queue's thread is inside of.
constinit thread_local const gcd_foreground* current_lane = nullptr;
} // namespace

gcd_foreground::gcd_foreground(gcd_shared& owner, void (*quiet)(void*) noexcept, void* quiet_context)
    : owner_{owner}, quiet_{quiet}, quiet_context_{quiet_context} {}

bool gcd_foreground::push(runnable& work, priority urgency) noexcept {
  bool taken = false;
  queue(nullptr, work, urgency, taken);
  return taken;
}

void gcd_foreground::push_dropped(runnable& work) noexcept {
  bool taken = false;
  queue(&dropped_, work, priority::normal, taken);
}

void gcd_foreground::queue(runnable_list* dropped, runnable& work, priority urgency, bool& taken) noexcept {
  bool must_wake = false;
  bool must_request = false;
  {
    std::lock_guard guard{lock_};
    if (!dropped && closed_)
      return;
    taken = true;
    must_wake = waits_ > 0 && queue_.empty() && dropped_.empty() && !is_running();
    must_request = waits_ == 0 && !pump_pending_;
    pump_pending_ = pump_pending_ || must_request;
    if (dropped)
      dropped->push(work);
    else
      queue_.push(work, urgency);
    // The main queue may get to the work, and the dispatcher to its end, before this call goes on.
    if (must_wake || must_request)
      owner_.add_ref();
  }
  if (must_wake) {
    waker_.wake();
    owner_.release();
  } else if (must_request) {
    request_pump();
  }
}

/// @pre `pump_pending_` was set by the caller, and a reference taken
void gcd_foreground::request_pump() noexcept {
  dispatch_async_f(dispatch_get_main_queue(), this, [](void* context) {
    auto& self = *static_cast<gcd_foreground*>(context);
    auto& owner = self.owner_;
    self.pump();
    owner.release();
  });
}

bool gcd_foreground::is_running() const noexcept { return current_lane == this; }

void gcd_foreground::nudge() noexcept { waker_.wake(); }

void gcd_foreground::pump() noexcept {
  lock_.lock();
  pump_pending_ = false;
  lock_.unlock();
  bool more = true;
  for (unsigned i = 0; i < runnables_per_turn && more; ++i)
    more = run_next();
  release_thread();
  lock_.lock();
  const bool is_empty = queue_.empty() && dropped_.empty();
  const bool must_request = !is_empty && !pump_pending_;
  if (must_request) {
    pump_pending_ = true;
    owner_.add_ref();
  }
  lock_.unlock();
  if (must_request)
    request_pump();
}

bool gcd_foreground::run_next() noexcept {
  runnable* work = nullptr;
  bool drop = true;
  {
    std::lock_guard guard{lock_};
    work = dropped_.pop();
    if (!work) {
      work = queue_.pop();
      drop = abandoned_;
    }
    if (!work)
      return false;
    ++depth_;
  }
  const auto* outer = std::exchange(current_lane, this);
  if (drop)
    work->drop();
  else
    work->run();
  current_lane = outer;
  lock_.lock();
  --depth_;
  const bool is_quiet = closed_ && depth_ == 0 && queue_.empty() && dropped_.empty();
  lock_.unlock();
  if (is_quiet)
    quiet_(quiet_context_);
  return true;
}

bool gcd_foreground::run_until(const std::function<bool()>& done, std::optional<time_point> deadline) {
  assert(is_on_main_queue());
  // After dispatch_main nobody can run the queue by hand: whoever waits there is inside of one of its blocks.
  const bool can_drain = is_process_main_thread();
  // Leaves what is left to the owner of the main queue, also if a block of the host throws.
  struct waiting {
    gcd_foreground& self;
    explicit waiting(gcd_foreground& lane) : self{lane} {
      std::lock_guard guard{self.lock_};
      ++self.waits_;
    }
    ~waiting() {
      self.lock_.lock();
      --self.waits_;
      const bool must_request =
          self.waits_ == 0 && !self.pump_pending_ && !(self.queue_.empty() && self.dropped_.empty());
      if (must_request) {
        self.pump_pending_ = true;
        self.owner_.add_ref();
      }
      self.lock_.unlock();
      if (must_request)
        self.request_pump();
    }
  } guard{*this};
  for (;;) {
    bool more = true;
    for (unsigned i = 0; i < runnables_per_turn && more && !done(); ++i)
      more = run_next();
    if (done())
      return true;
    if (can_drain)
      drain_main_queue();
    if (done())
      return true;
    if (deadline && clock::now() >= *deadline)
      return false;
    if (!more)
      waker_.wait(deadline, can_drain);
  }
}

void gcd_foreground::close() noexcept {
  std::lock_guard guard{lock_};
  closed_ = true;
}

bool gcd_foreground::is_quiet() noexcept {
  std::lock_guard guard{lock_};
  return queue_.empty() && dropped_.empty() && depth_ == 0;
}

void gcd_foreground::abandon() noexcept {
  {
    std::lock_guard guard{lock_};
    abandoned_ = true;
  }
  if (is_on_main_queue())
    drop_queued();
}

void gcd_foreground::drop_queued() noexcept {
  for (;;) {
    runnable* work = nullptr;
    {
      std::lock_guard guard{lock_};
      work = dropped_.pop();
      if (!work)
        work = queue_.pop();
    }
    if (!work)
      return;
    work->drop();
  }
}

} // namespace troupe::platform
