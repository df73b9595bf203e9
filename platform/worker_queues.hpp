// The queues behind the background lane of a thread pool: a stealable ring per worker, and the queue they share.
#pragma once
#include "platform/runnable_queue.hpp"
#include "platform/spin_lock.hpp"
#include <algorithm>
#include <array>
#include <atomic>

namespace troupe::platform {

inline constexpr std::size_t cache_line = 64;

/// Bounded FIFO of one worker. Its owner pushes; the owner and thieves pop. The indices only grow, so a slot that was
/// read too late is noticed by the exchange of `head_`.
class work_ring {
public:
  static constexpr std::size_t capacity = 256;
  static constexpr std::size_t steal_max = 32;

  bool empty() const noexcept {
    // Sequentially consistent: the other half of the handshake of a worker that is about to park.
    return head_.load(std::memory_order_seq_cst) >= tail_.load(std::memory_order_seq_cst);
  }

  /// Any thread: how many there are, or were a moment ago.
  std::size_t size() const noexcept {
    const auto head = head_.load(std::memory_order_relaxed), tail = tail_.load(std::memory_order_relaxed);
    return tail > head ? static_cast<std::size_t>(tail - head) : 0;
  }

  /// Owner only. @returns the places left; thieves may only add to them.
  std::size_t room() const noexcept {
    return capacity -
           static_cast<std::size_t>(tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_acquire));
  }

  /// Owner only. @pre `room() > 0`
  void push(runnable& work) noexcept {
    const auto tail = tail_.load(std::memory_order_relaxed);
    slots_[tail % capacity].store(&work, std::memory_order_relaxed);
    tail_.store(tail + 1, std::memory_order_seq_cst);
  }

  /// Owner only. Pushes `count` at once. @pre `room() >= count`
  void push(runnable* const* work, std::size_t count) noexcept {
    const auto tail = tail_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < count; ++i)
      slots_[(tail + i) % capacity].store(work[i], std::memory_order_relaxed);
    tail_.store(tail + count, std::memory_order_seq_cst);
  }

  /// Any thread. @returns the oldest one, or null.
  runnable* pop() noexcept {
    auto head = head_.load(std::memory_order_acquire);
    while (head < tail_.load(std::memory_order_acquire)) {
      runnable* work = slots_[head % capacity].load(std::memory_order_relaxed);
      if (head_.compare_exchange_weak(head, head + 1, std::memory_order_acq_rel, std::memory_order_acquire))
        return work;
    }
    return nullptr;
  }

  /// Any thread. Takes the older half, at most `steal_max`, into `out`. @returns how many.
  std::size_t steal(std::array<runnable*, steal_max>& out) noexcept {
    auto head = head_.load(std::memory_order_acquire);
    for (;;) {
      const auto tail = tail_.load(std::memory_order_acquire);
      if (head >= tail)
        return 0;
      const auto count = std::min<std::uint64_t>((tail - head + 1) / 2, steal_max);
      for (std::uint64_t i = 0; i < count; ++i)
        out[i] = slots_[(head + i) % capacity].load(std::memory_order_relaxed);
      if (head_.compare_exchange_weak(head, head + count, std::memory_order_acq_rel, std::memory_order_acquire))
        return count;
    }
  }

private:
  alignas(cache_line) std::atomic<std::uint64_t> head_ = 0;
  alignas(cache_line) std::atomic<std::uint64_t> tail_ = 0;
  alignas(cache_line) std::array<std::atomic<runnable*>, capacity> slots_ = {};
};

/// What workers share: work from outside of the pool, work that is not of normal priority, and what overflows a ring.
/// Two locks, so that a producer never waits for a consumer that walks a cold list. Any thread.
class injector {
public:
  /// @returns false if closed; the work was not taken.
  bool push(runnable& work, priority urgency) noexcept {
    std::lock_guard guard{in_lock_};
    if (closed_)
      return false;
    inbox_[static_cast<std::size_t>(urgency)].push(work);
    mark(urgency);
    return true;
  }

  /// Adds work that was accepted already, closed or not.
  void push_accepted(runnable_list& work, priority urgency) noexcept {
    std::lock_guard guard{in_lock_};
    inbox_[static_cast<std::size_t>(urgency)].splice(work);
    mark(urgency);
  }

  /// From now on `push` refuses.
  void close() noexcept {
    std::lock_guard guard{in_lock_};
    closed_ = true;
  }

  /// The classes that are not empty, by `class_bit`.
  std::uint32_t mask() const noexcept { return mask_.load(std::memory_order_seq_cst); }
  std::uint32_t mask_hint() const noexcept { return mask_.load(std::memory_order_relaxed); }

  /// @returns the oldest one of a class, or null.
  runnable* pop(priority urgency) noexcept {
    runnable* work = nullptr;
    return pop(urgency, &work, 1, 1) ? work : nullptr;
  }

  /// Takes the oldest ones of a class: one in `sharers` of them, but at least one if there is any, and at most
  /// `count_max`. @returns how many.
  std::size_t pop(priority urgency, runnable** out, std::size_t count_max, std::size_t sharers) noexcept {
    std::lock_guard guard{out_lock_};
    auto& outbox = outbox_[static_cast<std::size_t>(urgency)];
    if (outbox.empty())
      refill(urgency);
    const auto count = std::min({count_max, outbox.size() / sharers + 1, outbox.size()});
    for (std::size_t i = 0; i < count; ++i)
      out[i] = outbox.pop();
    if (outbox.empty())
      refill(urgency);
    return count;
  }

private:
  void mark(priority urgency) noexcept {
    const auto mask = mask_.load(std::memory_order_relaxed);
    // If it is set already, a worker is awake that will either take this or find the class empty after that.
    if (!(mask & class_bit(urgency)))
      mask_.store(mask | class_bit(urgency), std::memory_order_seq_cst);
  }

  void refill(priority urgency) noexcept {
    std::lock_guard guard{in_lock_};
    auto& outbox = outbox_[static_cast<std::size_t>(urgency)];
    outbox.splice(inbox_[static_cast<std::size_t>(urgency)]);
    if (outbox.empty())
      mask_.store(mask_.load(std::memory_order_relaxed) & ~class_bit(urgency), std::memory_order_seq_cst);
  }

  alignas(cache_line) spin_lock in_lock_; ///< Guards what is here, and writes of `mask_`.
  bool closed_ = false;
  runnable_list inbox_[priority_count];
  alignas(cache_line) spin_lock out_lock_; ///< Taken before `in_lock_`.
  runnable_list outbox_[priority_count];
  alignas(cache_line) std::atomic<std::uint32_t> mask_ = 0;
};

} // namespace troupe::platform
