// The turns of the dedicated lanes on their serial queues.
#include "platform/gcd_lanes.hpp"
#include "platform/thread_release.hpp"
#include <utility>

namespace troupe::platform {
namespace {
constexpr unsigned runnables_per_turn = 64;
} // namespace

struct gcd_lanes::serial_queue final : entry {
  explicit serial_queue(gcd_lanes& of) : lanes{of} {}
  ~serial_queue() override { let_go(); }

  void let_go() noexcept {
    if (auto* gone = std::exchange(serial, nullptr))
      dispatch_release(gone);
  }

  gcd_lanes& lanes;
  bool requested = false;            ///< A turn is due, or runs. Guarded by the mutex, as is what follows.
  dispatch_queue_t serial = nullptr; ///< From `begin` until the work of the closed lane has ended.
};

std::unique_ptr<serial_lanes::entry> gcd_lanes::make_entry() { return std::make_unique<serial_queue>(*this); }

bool gcd_lanes::begin(entry& which, const std::string& name) {
  auto& self = static_cast<serial_queue&>(which);
  std::lock_guard lock{self.mutex};
  // Without a target of its own the queue gets a thread even if all of a global queue's are taken.
  self.serial = dispatch_queue_create(name.c_str(), DISPATCH_QUEUE_SERIAL);
  return self.serial != nullptr;
}

void gcd_lanes::queued(entry& which) noexcept {
  if (auto& self = static_cast<serial_queue&>(which); !self.requested)
    request(self);
}

void gcd_lanes::closed(entry& which) noexcept {
  auto& self = static_cast<serial_queue&>(which);
  if (self.requested)
    return;
  self.ended = true;
  self.let_go();
}

/// Under the entry's mutex.
void gcd_lanes::request(serial_queue& self) noexcept {
  self.requested = true;
  owner_.add_ref();
  note_handed_over(&self);
  dispatch_async_f(self.serial, &self, [](void* context) {
    note_taken(context);
    auto& known = *static_cast<serial_queue*>(context);
    auto& owner = known.lanes.owner_;
    known.lanes.drain(known);
    owner.release();
  });
}

void gcd_lanes::drain(serial_queue& self) noexcept {
  running_.fetch_add(1);
  std::unique_lock lock{self.mutex};
  {
    const inside here{*this, self.number};
    for (unsigned i = 0; i < runnables_per_turn; ++i) {
      runnable* work = self.queue.pop();
      if (!work)
        break;
      lock.unlock();
      work->run();
      lock.lock();
    }
  }
  release_thread();
  self.requested = false;
  if (!self.queue.empty()) {
    request(self);
  } else if (self.closing && !self.ended) {
    self.ended = true;
    self.let_go();
  }
  const bool ended = self.ended;
  lock.unlock();
  running_.fetch_sub(1);
  running_.notify_all();
  if (ended)
    quiet_(quiet_context_);
}

void gcd_lanes::join() noexcept {
  while (const auto running = running_.load())
    running_.wait(running);
}

} // namespace troupe::platform
