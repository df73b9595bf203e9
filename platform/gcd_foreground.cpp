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
  auto whom = call::nobody;
  {
    std::lock_guard guard{lock_};
    const bool was_empty = is_empty();
    if (!take(work, urgency))
      return false;
    whom = note_queued(was_empty);
  }
  make(whom);
  return true;
}

void gcd_foreground::push_dropped(runnable& work) noexcept {
  auto whom = call::nobody;
  {
    std::lock_guard guard{lock_};
    const bool was_empty = is_empty();
    take_dropped(work);
    whom = note_queued(was_empty);
  }
  make(whom);
}

/// Under the lock.
gcd_foreground::call gcd_foreground::note_queued(bool was_empty) noexcept {
  auto whom = call::nobody;
  if (waits_ > 0 && was_empty && !is_running()) {
    whom = call::waiter;
    // The main queue may get to the work, and the dispatcher to its end, before this call goes on.
    owner_.add_ref();
  } else if (waits_ == 0 && claim_pump()) {
    whom = call::main_queue;
  }
  return whom;
}

void gcd_foreground::make(call whom) noexcept {
  if (whom == call::waiter) {
    waker_.wake();
    owner_.release();
  } else if (whom == call::main_queue) {
    request_pump();
  }
}

/// Under the lock. @returns whether the caller has to request a pump now
bool gcd_foreground::claim_pump() noexcept {
  if (pump_pending_ || is_empty())
    return false;
  pump_pending_ = true;
  owner_.add_ref();
  return true;
}

/// @pre `claim_pump` returned true
void gcd_foreground::request_pump() noexcept {
  note_handed_over(this);
  dispatch_async_f(dispatch_get_main_queue(), this, [](void* context) {
    note_taken(context);
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
    more = run_one();
  release_thread();
  lock_.lock();
  const bool must_request = claim_pump();
  lock_.unlock();
  if (must_request)
    request_pump();
}

bool gcd_foreground::run_one() noexcept {
  const auto* outer = std::exchange(current_lane, this);
  const bool had_work = run_next();
  current_lane = outer;
  if (had_work && has_ended())
    quiet_(quiet_context_);
  return had_work;
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
      const bool must_request = self.waits_ == 0 && self.claim_pump();
      self.lock_.unlock();
      if (must_request)
        self.request_pump();
    }
  } guard{*this};
  for (;;) {
    bool more = true;
    for (unsigned i = 0; i < runnables_per_turn && more && !done(); ++i)
      more = run_one();
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

void gcd_foreground::abandon() noexcept {
  abandon_queued();
  if (is_on_main_queue())
    drop_queued();
}

} // namespace troupe::platform
