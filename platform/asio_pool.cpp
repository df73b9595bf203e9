// How a worker finds work, parks and is woken.
#include "platform/asio_pool.hpp"
#include "platform/relax.hpp"
#include "platform/thread_name.hpp"
#include <mutex>

namespace troupe::platform {
namespace {

// The parts of asio_pool::state_. All accesses are sequentially consistent: a producer publishes work and then reads
// the state, a worker publishes that it is idle and then reads the queues, so one of them sees the other.
constexpr std::uint64_t one_idle = 1;
constexpr std::uint64_t one_searching = std::uint64_t{1} << 16;
constexpr std::uint64_t one_sentry = std::uint64_t{1} << 24;
constexpr std::uint64_t one_departure = std::uint64_t{1} << 32;
constexpr std::uint64_t idle_in(std::uint64_t state) noexcept { return state & 0xffff; }
constexpr bool has_searcher(std::uint64_t state) noexcept { return (state & (0xffull << 16)) != 0; }
constexpr bool has_sentry(std::uint64_t state) noexcept { return (state & (0xffull << 24)) != 0; }

constexpr unsigned slot_uses_max = 16;   ///< Then the ring gets a turn.
constexpr std::size_t batch_max = 32;    ///< From the shared queue at once.
constexpr unsigned steal_patience = 64;  ///< A microsecond or so.
constexpr unsigned search_rounds = 24;   ///< Before a worker that has just had work parks; a microsecond or so each.
constexpr std::uint64_t stride_max = 16; ///< Picks between two looks at the time.
constexpr unsigned handlers_per_poll = 16;
constexpr auto poll_interval = std::chrono::microseconds{100};
constexpr auto patrol_interval = std::chrono::milliseconds{1};

} // namespace

struct alignas(cache_line) asio_pool::worker {
  worker(asio_pool& owner, std::size_t number, std::size_t count) : pool{owner}, index{number}, seen(count) {}

  runnable* take_slot() noexcept {
    return slot.load(std::memory_order_relaxed) ? slot.exchange(nullptr, std::memory_order_acq_rel) : nullptr;
  }

  std::atomic<runnable*> slot = nullptr; ///< What the running runnable dispatched last.
  std::atomic<std::uint64_t> tick = 0;   ///< Picks so far; stands still while a runnable runs.
  work_ring ring;

  // The worker's own.
  alignas(cache_line) asio_pool& pool;
  const std::size_t index;
  std::thread thread;
  unsigned slot_uses = 0;
  bool parked = false;       ///< In the io_context: counted as idle, whatever handler runs.
  bool must_pass_on = false; ///< Was woken, and so has to wake the next one if there is work for two.
  bool had_work = false;     ///< Since it last searched.
  std::uint64_t next_look = 0;
  std::uint64_t stride = 1;
  time_point looked;
  time_point polled;
  time_point patrolled;
  std::vector<std::uint64_t> seen; ///< Ticks of the others at the last patrol.
};

constinit thread_local asio_pool::worker* asio_pool::current_ = nullptr;

asio_pool::asio_pool(boost::asio::io_context& context, std::size_t thread_count, coalesced_handler::function quiet,
                     void* quiet_context)
    : context_{context}, wake_{context, [](void*) noexcept {}, nullptr}, quiet_{quiet}, quiet_context_{quiet_context} {
  assert(thread_count > 0 && thread_count < 0xffff);
  for (std::size_t i = 0; i < thread_count; ++i)
    workers_.push_back(std::make_unique<worker>(*this, i, thread_count));
}

asio_pool::~asio_pool() {
  for ([[maybe_unused]] auto& each : workers_)
    assert(!each->thread.joinable());
}

void asio_pool::start() {
  for (auto& each : workers_)
    each->thread = std::thread{[this, self = each.get()] { run(*self); }};
}

bool asio_pool::push(runnable& work, priority urgency) noexcept {
  worker* self = current_ && &current_->pool == this ? current_ : nullptr;
  // A parked worker runs a handler and counts as idle: only the shared queue refuses reliably once closed then.
  if (self && !self->parked && urgency == priority::normal) {
    if (closed_.load(std::memory_order_relaxed))
      return false;
    runnable* displaced = self->slot.exchange(&work, std::memory_order_seq_cst);
    if (displaced)
      push_ring(*self, *displaced);
    wake_if_idle(displaced == nullptr, false);
    return true;
  }
  if (!shared_.push(work, urgency))
    return false;
  wake_if_idle(false, self && self->parked);
  return true;
}

bool asio_pool::is_worker_thread() const noexcept { return current_ && &current_->pool == this; }

void asio_pool::surrender() noexcept {
  if (!is_worker_thread())
    return;
  if (runnable* work = current_->take_slot())
    push_ring(*current_, *work);
  pass_on_wake();
}

void asio_pool::close() noexcept {
  closed_.store(true, std::memory_order_seq_cst);
  shared_.close();
}

bool asio_pool::is_quiet() const noexcept {
  // Nobody ceased to be idle between the two looks, so nobody ran or moved anything in between.
  const auto before = state_.load(std::memory_order_seq_cst);
  return idle_in(before) == workers_.size() && !work_is_visible() && !slot_is_visible() &&
         (before ^ state_.load(std::memory_order_seq_cst)) >> 32 == 0;
}

void asio_pool::halt() noexcept {
  halted_.store(true, std::memory_order_seq_cst);
  context_.stop();
  drop_queued();
}

void asio_pool::join() noexcept {
  assert(halted_.load());
  for (auto& each : workers_)
    if (each->thread.joinable())
      each->thread.join();
}

void asio_pool::run(worker& self) noexcept {
  current_ = &self;
  name_this_thread("troupe-" + std::to_string(self.index));
  while (!halted_.load(std::memory_order_acquire)) {
    runnable* work = next(self);
    if (!work)
      work = wait(self);
    if (!work)
      continue;
    self.had_work = true;
    if (self.must_pass_on) {
      self.must_pass_on = false;
      pass_on_wake();
    }
    work->run();
  }
  drop_queued();
  current_ = nullptr;
}

runnable* asio_pool::next(worker& self) noexcept {
  const auto tick = self.tick.load(std::memory_order_relaxed) + 1;
  self.tick.store(tick, std::memory_order_relaxed);
  if (tick >= self.next_look)
    poll(self, tick);
  if (const auto mask = shared_.mask_hint()) [[unlikely]]
    if (runnable* work = next_shared(self, tick, mask))
      return work;
  return next_local(self);
}

runnable* asio_pool::next_shared(worker& self, std::uint64_t tick, std::uint32_t mask) noexcept {
  const bool has_local = self.slot.load(std::memory_order_relaxed) || !self.ring.empty();
  const auto urgency = class_to_pick(tick, has_local ? mask | class_bit(priority::normal) : mask);
  if (urgency != priority::normal)
    return shared_.pop(urgency);
  // Of the two picks of 15 that are due, one goes to the shared queue first: a busy ring cannot starve it, nor it that.
  const bool shared_first = class_due(tick) == priority::normal && tick % priority_weight_sum < priority_weight_sum / 2;
  return has_local && !shared_first ? nullptr : fetch(self);
}

runnable* asio_pool::next_local(worker& self) noexcept {
  if (self.slot_uses < slot_uses_max) {
    if (runnable* work = self.take_slot()) {
      ++self.slot_uses;
      return work;
    }
  }
  self.slot_uses = 0;
  runnable* work = self.ring.pop();
  return work ? work : self.take_slot();
}

runnable* asio_pool::fetch(worker& self) noexcept {
  runnable* batch[batch_max];
  const auto queued = work_ring::capacity - self.ring.room();
  const auto count = shared_.pop(priority::normal, batch, queued < batch_max ? batch_max - queued : 1, workers_.size());
  if (count == 0)
    return nullptr;
  if (count > 1)
    self.ring.push(batch + 1, count - 1);
  return batch[0];
}

runnable* asio_pool::steal(worker& self) noexcept {
  std::array<runnable*, work_ring::steal_max> loot;
  for (std::size_t i = 1; i < workers_.size(); ++i) {
    auto& victim = *workers_[(self.index + i) % workers_.size()];
    // Fetching one at a time from a worker that is just adding more slows both down: that one gets a moment, unwatched.
    if (const auto queued = victim.ring.size(); queued > 0 && queued < batch_max)
      for (unsigned wait = 0; wait < steal_patience; ++wait)
        relax();
    if (const auto count = victim.ring.steal(loot)) {
      assert(self.ring.empty());
      if (count > 1)
        self.ring.push(loot.data() + 1, count - 1);
      return loot[0];
    }
  }
  return nullptr;
}

runnable* asio_pool::search(worker& self) noexcept {
  if (const auto mask = shared_.mask_hint())
    if (runnable* work = next_shared(self, self.tick.load(std::memory_order_relaxed), mask))
      return work;
  if (runnable* work = next_local(self)) // A handler that was polled may have dispatched.
    return work;
  return steal(self);
}

/// Looks for work elsewhere, for a while if this worker has just had some, then parks until something happens.
/// @returns null if it is to look again.
runnable* asio_pool::wait(worker& self) noexcept {
  // One searcher is enough: while there is one, nobody needs to be woken.
  auto state = state_.load(std::memory_order_seq_cst);
  bool searching = !has_searcher(state) && state_.compare_exchange_strong(state, state + one_searching);
  const unsigned rounds = searching && self.had_work ? search_rounds : 1;
  self.had_work = false;
  for (unsigned round = 0; round < rounds; ++round) {
    if (runnable* work = search(self)) {
      if (searching)
        state_.fetch_sub(one_searching);
      self.must_pass_on = true;
      return work;
    }
    if (round + 1 == rounds)
      break;
    if (round % 4 == 3) {
      if (idle_in(state_.load(std::memory_order_relaxed)) == 0) {
        // Whoever runs a handler does not search: others may have to be woken meanwhile.
        state_.fetch_sub(one_searching);
        poll_context();
        state = state_.load();
        searching = !has_searcher(state) && state_.compare_exchange_strong(state, state + one_searching);
        if (!searching)
          round = rounds - 2;
      }
      std::this_thread::yield();
    } else {
      for (int i = 0; i < 32; ++i)
        relax();
    }
  }

  self.parked = true;
  state_.fetch_add(searching ? one_idle - one_searching : one_idle);
  runnable* work = nullptr;
  if (!work_is_visible() && !halted_.load(std::memory_order_seq_cst)) {
    if (closed_.load(std::memory_order_seq_cst) && is_quiet())
      quiet_(quiet_context_);
    if (become_sentry()) {
      context_.run_one_for(patrol_interval);
      work = patrol(self);
      state_.fetch_sub(one_sentry);
    } else {
      context_.run_one();
    }
  }
  state_.fetch_add(one_departure - one_idle);
  self.parked = false;
  self.must_pass_on = true;
  return work;
}

/// @returns whether this worker, which is idle, is the one that has to look after what the others set aside.
bool asio_pool::become_sentry() noexcept {
  auto state = state_.load(std::memory_order_seq_cst);
  while (!has_sentry(state) && (idle_in(state) < workers_.size() || slot_is_visible()))
    if (state_.compare_exchange_weak(state, state + one_sentry))
      return true;
  return false;
}

/// Takes what another worker set aside a patrol ago, if that one still runs the same runnable.
runnable* asio_pool::patrol(worker& self) noexcept {
  const auto now = clock::now();
  if (now - self.patrolled < patrol_interval / 2)
    return nullptr;
  self.patrolled = now;
  runnable* work = nullptr;
  for (auto& other : workers_) {
    const auto tick = other->tick.load(std::memory_order_relaxed);
    if (!work && other->slot.load(std::memory_order_relaxed) && self.seen[other->index] == tick)
      work = other->take_slot();
    self.seen[other->index] = tick;
  }
  return work;
}

void asio_pool::push_ring(worker& self, runnable& work) noexcept {
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

/// Runs handlers that are due, unless an idle worker does that anyway. Looks at the clock less often the shorter the
/// runnables are.
void asio_pool::poll(worker& self, std::uint64_t tick) noexcept {
  const auto now = clock::now();
  if (now - self.looked > poll_interval)
    self.stride = std::max<std::uint64_t>(self.stride / 2, 1);
  else
    self.stride = std::min(self.stride * 2, stride_max);
  self.looked = now;
  self.next_look = tick + self.stride;
  if (now - self.polled < poll_interval)
    return;
  self.polled = now;
  if (idle_in(state_.load(std::memory_order_relaxed)) == 0)
    poll_context();
}

void asio_pool::poll_context() noexcept {
  unsigned count = 0;
  while (count < handlers_per_poll && context_.poll_one() > 0)
    ++count;
  // One of the handlers may have been the one that was to wake somebody else.
  if (count > 0)
    pass_on_wake();
}

/// @param only_for_slots What was queued will be run by this thread next, so a sentry is all that it needs.
void asio_pool::wake_if_idle(bool only_for_slots, bool self_is_parked) noexcept {
  const auto state = state_.load(std::memory_order_seq_cst);
  if (idle_in(state) > (self_is_parked ? 1u : 0u) && !has_searcher(state) && !(only_for_slots && has_sentry(state)))
    wake_.request();
}

/// Wakes another worker if there is something left for it.
void asio_pool::pass_on_wake() noexcept {
  const auto state = state_.load(std::memory_order_seq_cst);
  if (idle_in(state) == 0 || has_searcher(state))
    return;
  if (work_is_visible() || (!has_sentry(state) && slot_is_visible()))
    wake_.request();
}

bool asio_pool::work_is_visible() const noexcept {
  if (shared_.mask() != 0)
    return true;
  for (auto& each : workers_)
    if (!each->ring.empty())
      return true;
  return false;
}

bool asio_pool::slot_is_visible() const noexcept {
  for (auto& each : workers_)
    if (each->slot.load(std::memory_order_seq_cst))
      return true;
  return false;
}

/// Any thread: whoever takes something out of a queue drops it.
void asio_pool::drop_queued() noexcept {
  for (std::size_t i = 0; i < priority_count; ++i)
    while (runnable* work = shared_.pop(static_cast<priority>(i)))
      work->drop();
  for (auto& each : workers_) {
    while (runnable* work = each->ring.pop())
      work->drop();
    if (runnable* work = each->take_slot())
      work->drop();
  }
}

} // namespace troupe::platform
