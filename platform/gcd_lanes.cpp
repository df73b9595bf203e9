// The turns of the dedicated lanes on their serial queues.
#include "platform/gcd_lanes.hpp"
#include "platform/thread_release.hpp"

namespace troupe::platform {
namespace {
constexpr std::uint32_t first_number = foreground_lane.number + 1;
constexpr unsigned runnables_per_turn = 64;

struct place {
  const void* owner = nullptr;
  lane where;
};
constinit thread_local place current_place;
} // namespace

/// One place in the table. Used again, under another number, by the next lane once its work has ended.
struct gcd_lanes::entry {
  explicit entry(gcd_lanes& of) : lanes{of} {}

  gcd_lanes& lanes;
  std::mutex mutex; ///< Guards what follows.
  priority_lists queue;
  lane number;
  bool closing = true;
  bool requested = false; ///< A turn is due, or runs.
  bool ended = true;
  dispatch_queue_t serial = nullptr; ///< From `open` until the work of the closed lane has ended.
};

gcd_lanes::gcd_lanes(gcd_shared& owner, void (*quiet)(void*) noexcept, void* quiet_context)
    : owner_{owner}, quiet_{quiet}, quiet_context_{quiet_context} {}

gcd_lanes::~gcd_lanes() {
  for (auto& each : table_)
    if (auto* known = each.load()) {
      if (known->serial)
        dispatch_release(known->serial);
      delete known;
    }
}

lane gcd_lanes::open(const std::string& name, std::error_code& error) {
  std::lock_guard guard{table_mutex_};
  error = {};
  if (closed_) {
    error = make_error_code(dispatch_errc::stopped);
    return {};
  }
  for (std::uint32_t index = 0; index < lanes_max; ++index) {
    auto* known = table_[index].load();
    if (!known) {
      known = new entry{*this};
      known->number.number = first_number + index - lanes_max;
      table_[index].store(known);
    }
    std::lock_guard lock{known->mutex};
    if (!known->ended)
      continue;
    // Without a target of its own the queue gets a thread even if all of a global queue's are taken.
    known->serial = dispatch_queue_create(name.c_str(), DISPATCH_QUEUE_SERIAL);
    if (!known->serial)
      break;
    known->number.number += lanes_max;
    known->closing = false;
    known->ended = false;
    return known->number;
  }
  error = make_error_code(dispatch_errc::too_many_lanes);
  return {};
}

gcd_lanes::entry* gcd_lanes::find(lane where) const noexcept {
  return where.number < first_number ? nullptr : table_[(where.number - first_number) % lanes_max].load();
}

std::error_code gcd_lanes::push(lane where, runnable& work, priority urgency) noexcept {
  auto* known = find(where);
  if (!known)
    return make_error_code(dispatch_errc::unknown_lane);
  std::lock_guard lock{known->mutex};
  if (known->closing || known->number != where)
    return make_error_code(dispatch_errc::unknown_lane);
  known->queue.push(work, urgency);
  if (!known->requested)
    request(*known);
  return {};
}

/// Under the entry's mutex.
void gcd_lanes::request(entry& self) noexcept {
  self.requested = true;
  owner_.add_ref();
  dispatch_async_f(self.serial, &self, [](void* context) {
    auto& known = *static_cast<entry*>(context);
    auto& owner = known.lanes.owner_;
    known.lanes.drain(known);
    owner.release();
  });
}

void gcd_lanes::drain(entry& self) noexcept {
  running_.fetch_add(1);
  std::unique_lock lock{self.mutex};
  const place outer = std::exchange(current_place, place{this, self.number});
  for (unsigned i = 0; i < runnables_per_turn; ++i) {
    runnable* work = self.queue.pop();
    if (!work)
      break;
    lock.unlock();
    work->run();
    lock.lock();
  }
  current_place = outer;
  release_thread();
  self.requested = false;
  if (!self.queue.empty()) {
    request(self);
  } else if (self.closing && !self.ended) {
    self.ended = true;
    dispatch_release(self.serial);
    self.serial = nullptr;
  }
  const bool ended = self.ended;
  lock.unlock();
  running_.fetch_sub(1);
  running_.notify_all();
  if (ended)
    quiet_(quiet_context_);
}

void gcd_lanes::close(lane where) noexcept {
  auto* known = find(where);
  if (!known)
    return;
  std::lock_guard lock{known->mutex};
  if (known->number != where || known->closing)
    return;
  known->closing = true;
  if (known->requested)
    return;
  known->ended = true;
  dispatch_release(known->serial);
  known->serial = nullptr;
}

void gcd_lanes::close_all() noexcept {
  std::lock_guard guard{table_mutex_};
  closed_ = true;
  for (auto& each : table_)
    if (auto* known = each.load())
      close(known->number);
}

bool gcd_lanes::is_quiet() noexcept {
  for (auto& each : table_)
    if (auto* known = each.load()) {
      std::lock_guard lock{known->mutex};
      if (!known->ended)
        return false;
    }
  return true;
}

void gcd_lanes::abandon() noexcept {
  for (auto& each : table_)
    while (auto* known = each.load()) {
      std::unique_lock lock{known->mutex};
      runnable* work = known->queue.pop();
      lock.unlock();
      if (!work)
        break;
      work->drop();
    }
}

void gcd_lanes::join() noexcept {
  while (const auto running = running_.load())
    running_.wait(running);
}

bool gcd_lanes::is_on(lane where) const noexcept { return current_place.owner == this && current_place.where == where; }

} // namespace troupe::platform
