// How drains begin, find work, and end.
#include "platform/gcd_pool.hpp"
#include "platform/relax.hpp"
#include "platform/thread_release.hpp"
#include <bit>
#include <thread>

namespace troupe::platform {
namespace {

// The parts of gcd_pool::entries_.
constexpr std::uint64_t one_inside = 1;
constexpr std::uint64_t one_entry = std::uint64_t{1} << 16;
constexpr std::uint64_t inside(std::uint64_t entries) noexcept { return entries & (one_entry - 1); }

constexpr std::size_t batch_max = 32;  ///< From the shared queue at once.
constexpr unsigned search_rounds = 24; ///< Before a drain that has had work ends; a microsecond or so each.
constexpr unsigned picks_per_look = 16;
constexpr auto turn_max = std::chrono::milliseconds{1};
constexpr auto patrol_interval = std::chrono::milliseconds{2};

/// What the calling thread is inside of, and the drain's seat unless it was surrendered.
struct place {
  const gcd_pool* pool = nullptr;
  void* at = nullptr;
};
constinit thread_local place current_place;

} // namespace

/// What a drain has while it runs: a queue that other drains may take from.
struct alignas(cache_line) gcd_pool::seat {
  seat(gcd_pool& owner, std::size_t number) : pool{owner}, index{number} {}

  work_ring ring;
  std::atomic<std::uint64_t> tick = 0; ///< Picks so far; stands still while a runnable runs.
  gcd_pool& pool;
  const std::size_t index;
  bool is_start = false;  ///< Counted as starting.
  std::uint64_t seen = 0; ///< The tick at the last patrol, which this belongs to.
};

gcd_pool::gcd_pool(gcd_shared& owner, std::size_t width, void (*quiet)(void*) noexcept, void* quiet_context)
    : owner_{owner}, quiet_{quiet}, quiet_context_{quiet_context} {
  assert(width > 0 && width <= width_max);
  for (std::size_t i = 0; i < width; ++i)
    seats_.push_back(std::make_unique<seat>(*this, i));
  free_ = ~std::uint64_t{0} >> (width_max - width);
}

gcd_pool::~gcd_pool() = default;

bool gcd_pool::push(runnable& work, priority urgency) noexcept {
  auto* self = current_place.pool == this ? static_cast<seat*>(current_place.at) : nullptr;
  if (self && urgency == priority::normal) {
    if (closed_.load(std::memory_order_relaxed))
      return false;
    const bool is_next = self->ring.empty();
    push_ring(*self, work);
    if (is_next)
      watch(); // This thread will run it next, unless it is kept busy.
    else
      wake();
    return true;
  }
  if (!shared_.push(work, urgency))
    return false;
  wake();
  return true;
}

bool gcd_pool::is_worker_thread() const noexcept { return current_place.pool == this; }

void gcd_pool::surrender() noexcept {
  if (!is_worker_thread() || !current_place.at)
    return;
  auto& self = *static_cast<seat*>(current_place.at);
  current_place.at = nullptr;
  blocked_.fetch_add(1);
  runnable_list left;
  while (runnable* work = self.ring.pop())
    left.push(*work);
  if (!left.empty())
    shared_.push_accepted(left, priority::normal);
  free_seat(self);
  if (work_is_visible())
    wake();
}

void gcd_pool::close() noexcept {
  closed_.store(true);
  shared_.close();
}

bool gcd_pool::is_quiet() const noexcept {
  // Nobody entered between the two looks, so nobody ran or moved anything in between.
  const auto before = entries_.load();
  return inside(before) == 0 && !work_is_visible() && before == entries_.load();
}

void gcd_pool::halt() noexcept {
  halted_.store(true);
  drop_queued();
}

void gcd_pool::join() noexcept {
  assert(halted_.load());
  for (auto entries = entries_.load(); inside(entries) > 0; entries = entries_.load())
    entries_.wait(entries);
}

gcd_pool::seat* gcd_pool::take_free_seat() noexcept {
  auto free = free_.load();
  while (free != 0)
    if (free_.compare_exchange_weak(free, free & (free - 1)))
      return seats_[static_cast<std::size_t>(std::countr_zero(free))].get();
  return nullptr;
}

void gcd_pool::free_seat(seat& which) noexcept { free_.fetch_or(std::uint64_t{1} << which.index); }

/// Has another drain begin, unless there are enough, or one that will look for work soon.
void gcd_pool::wake() noexcept {
  if (free_.load() == 0 || starting_.load() > 0 || searching_.load())
    return;
  if (auto* which = take_free_seat()) {
    starting_.fetch_add(1);
    which->is_start = true;
    request(*which);
  }
}

void gcd_pool::request(seat& which) noexcept {
  const auto mask = shared_.mask_hint();
  const auto urgency = mask != 0 ? static_cast<priority>(std::bit_width(mask) - 1) : priority::normal;
  // A global queue may have no more threads than are blocked; a serial queue gets one of its own.
  const auto own = blocked_.load() > 0 ? dispatch_queue_create("troupe", DISPATCH_QUEUE_SERIAL) : nullptr;
  owner_.add_ref();
  note_handed_over(&which);
  dispatch_async_f(own ? own : global_queue(urgency), &which, [](void* context) {
    note_taken(context);
    auto& at = *static_cast<seat*>(context);
    auto& owner = at.pool.owner_;
    at.pool.drain(at); // The seat may be another one's after that.
    owner.release();
  });
  if (own)
    dispatch_release(own);
}

void gcd_pool::drain(seat& at) noexcept {
  entries_.fetch_add(one_entry + one_inside);
  current_place = {this, &at};
  auto* self = &at;
  bool must_pass_on = self->is_start;
  if (self->is_start) {
    self->is_start = false;
    starting_.fetch_sub(1);
  }
  bool had_work = false;
  auto turn_end = clock::now() + turn_max;
  for (unsigned picks = 1; !halted_.load(std::memory_order_acquire); ++picks) {
    runnable* work = next(*self);
    if (!work) {
      work = had_work ? search(*self) : steal(*self);
      must_pass_on = true;
    }
    if (!work) {
      current_place.at = nullptr;
      free_seat(*self);
      self = work_is_visible() && !halted_.load() ? take_free_seat() : nullptr;
      if (!self)
        break;
      current_place.at = self;
      continue;
    }
    had_work = true;
    if (must_pass_on) {
      must_pass_on = false;
      if (work_is_visible())
        wake();
    }
    work->run();
    self = static_cast<seat*>(current_place.at);
    if (!self) {
      // It has blocked; the others have got on without this thread.
      blocked_.fetch_sub(1);
      self = take_free_seat();
      if (!self)
        break;
      current_place.at = self;
    }
    if (picks % picks_per_look == 0 && clock::now() >= turn_end) {
      request(*self);
      self = nullptr;
      break;
    }
  }
  current_place = {};
  if (self)
    free_seat(*self);
  if (halted_.load())
    drop_queued();
  release_thread();
  entries_.fetch_sub(one_inside);
  entries_.notify_all();
  if (closed_.load() && is_quiet())
    quiet_(quiet_context_);
}

runnable* gcd_pool::next(seat& self) noexcept {
  const auto tick = self.tick.load(std::memory_order_relaxed) + 1;
  self.tick.store(tick, std::memory_order_relaxed);
  if (const auto mask = shared_.mask_hint()) [[unlikely]] {
    const bool has_local = !self.ring.empty();
    const auto urgency = class_to_pick(tick, has_local ? mask | class_bit(priority::normal) : mask);
    if (urgency != priority::normal) {
      if (runnable* work = shared_.pop(urgency))
        return work;
    } else {
      // Of the two picks of 15 that are due, one goes to the shared queue first: a busy ring cannot starve it.
      const bool shared_first = class_due(tick) == urgency && tick % priority_weight_sum < priority_weight_sum / 2;
      if (!has_local || shared_first)
        if (runnable* work = fetch(self))
          return work;
    }
  }
  return self.ring.pop();
}

runnable* gcd_pool::fetch(seat& self) noexcept {
  runnable* batch[batch_max];
  const auto queued = work_ring::capacity - self.ring.room();
  const auto count = shared_.pop(priority::normal, batch, queued < batch_max ? batch_max - queued : 1, seats_.size());
  if (count == 0)
    return nullptr;
  if (count > 1) {
    self.ring.push(batch + 1, count - 1);
    watch();
  }
  return batch[0];
}

runnable* gcd_pool::steal(seat& self) noexcept {
  std::array<runnable*, work_ring::steal_max> loot;
  for (std::size_t i = 1; i < seats_.size(); ++i) {
    auto& victim = *seats_[(self.index + i) % seats_.size()];
    if (const auto count = victim.ring.steal(loot)) {
      if (count > 1) {
        self.ring.push(loot.data() + 1, count - 1);
        watch();
      }
      return loot[0];
    }
  }
  return nullptr;
}

/// Looks for work for a while, if nobody else does: less than it costs to begin a drain.
runnable* gcd_pool::search(seat& self) noexcept {
  if (searching_.exchange(true))
    return steal(self);
  runnable* work = nullptr;
  for (unsigned round = 0; round < search_rounds && !work; ++round) {
    if (round % 4 == 3)
      std::this_thread::yield();
    else
      for (int i = 0; i < 32; ++i)
        relax();
    work = next(self);
    if (!work)
      work = steal(self);
  }
  searching_.store(false);
  return work;
}

void gcd_pool::push_ring(seat& self, runnable& work) noexcept {
  if (self.ring.room() == 0) [[unlikely]] {
    std::array<runnable*, work_ring::steal_max> oldest;
    runnable_list overflow;
    const auto count = self.ring.steal(oldest);
    for (std::size_t i = 0; i < count; ++i)
      overflow.push(*oldest[i]);
    shared_.push_accepted(overflow, priority::normal);
  }
  self.ring.push(work);
}

/// Has somebody look, later, whether what a drain has set aside still waits for it.
void gcd_pool::watch() noexcept {
  if (watched_.load() || watched_.exchange(true))
    return;
  owner_.add_ref();
  note_handed_over(this);
  dispatch_after_f(dispatch_time(DISPATCH_TIME_NOW, std::chrono::nanoseconds{patrol_interval}.count()),
                   global_queue(priority::critical), this, [](void* context) {
                     note_taken(context);
                     auto& self = *static_cast<gcd_pool*>(context);
                     auto& owner = self.owner_;
                     self.patrol();
                     owner.release();
                   });
}

void gcd_pool::patrol() noexcept {
  bool is_stuck = false;
  for (auto& each : seats_) {
    const auto tick = each->tick.load(std::memory_order_relaxed);
    is_stuck = is_stuck || (!each->ring.empty() && each->seen == tick);
    each->seen = tick;
  }
  watched_.store(false);
  if (halted_.load())
    return;
  if (is_stuck)
    wake();
  for (auto& each : seats_)
    if (!each->ring.empty()) {
      watch();
      break;
    }
}

bool gcd_pool::work_is_visible() const noexcept {
  if (shared_.mask() != 0)
    return true;
  for (auto& each : seats_)
    if (!each->ring.empty())
      return true;
  return false;
}

/// Any thread: whoever takes something out of a queue drops it.
void gcd_pool::drop_queued() noexcept {
  for (std::size_t i = 0; i < priority_count; ++i)
    while (runnable* work = shared_.pop(static_cast<priority>(i)))
      work->drop();
  for (auto& each : seats_)
    while (runnable* work = each->ring.pop())
      work->drop();
}

} // namespace troupe::platform
