// Intrusive queues of runnables: a FIFO list, and four of them picked from by weighted round robin.
#pragma once
#include "platform/dispatcher.hpp"
#include <bit>
#include <cassert>

namespace troupe::platform {

/// FIFO of runnables, linked through `next_runnable`; owns nothing. Not thread-safe.
class runnable_list {
public:
  bool empty() const noexcept { return head_ == nullptr; }
  std::size_t size() const noexcept { return size_; }

  void push(runnable& work) noexcept {
    work.next_runnable = nullptr;
    (head_ ? tail_->next_runnable : head_) = &work;
    tail_ = &work;
    ++size_;
  }

  /// @returns the oldest one, or null.
  runnable* pop() noexcept {
    runnable* work = head_;
    if (work) {
      head_ = work->next_runnable;
      --size_;
    }
    return work;
  }

  /// Appends all of `other`, which is empty afterwards.
  void splice(runnable_list& other) noexcept {
    if (other.empty())
      return;
    (head_ ? tail_->next_runnable : head_) = other.head_;
    tail_ = other.tail_;
    size_ += other.size_;
    other.head_ = nullptr;
    other.size_ = 0;
  }

private:
  runnable* head_ = nullptr;
  runnable* tail_ = nullptr; ///< Means something only while there is a head.
  std::size_t size_ = 0;
};

/// The bit of a class in a mask of non-empty classes.
constexpr std::uint32_t class_bit(priority urgency) noexcept { return 1u << static_cast<unsigned>(urgency); }

/// The class that is due at pick number `tick`: every 15 consecutive ticks name each class as often as its weight
/// says, evenly spread. Why not a credit counter? A fixed cycle keeps the bound for every window of picks, whatever
/// becomes empty or full in between.
constexpr priority class_due(std::uint64_t tick) noexcept {
  // The ruler sequence: the number of trailing zeros of 1..15 is 8 times 0, 4 times 1, twice 2 and once 3.
  const auto step = static_cast<unsigned>(tick % priority_weight_sum) + 1;
  return static_cast<priority>(priority_count - 1 - static_cast<std::size_t>(std::countr_zero(step)));
}
static_assert(priority_weights[0] == 1 && priority_weights[1] == 2 && priority_weights[2] == 4 &&
              priority_weights[3] == 8 && priority_weight_sum == 15);

/// The class to pick from at `tick`: the one due, or the most urgent non-empty one. @pre `mask != 0`
constexpr priority class_to_pick(std::uint64_t tick, std::uint32_t mask) noexcept {
  const priority due = class_due(tick);
  return mask & class_bit(due) ? due : static_cast<priority>(std::bit_width(mask) - 1);
}

/// One FIFO per class, with the weights of priority.hpp between them. Not thread-safe.
class priority_lists {
public:
  bool empty() const noexcept { return mask_ == 0; }

  void push(runnable& work, priority urgency) noexcept {
    lists_[static_cast<std::size_t>(urgency)].push(work);
    mask_ |= class_bit(urgency);
  }

  /// @returns the next one to run, or null.
  runnable* pop() noexcept {
    if (mask_ == 0)
      return nullptr;
    const priority urgency = class_to_pick(tick_++, mask_);
    auto& list = lists_[static_cast<std::size_t>(urgency)];
    runnable* work = list.pop();
    if (list.empty())
      mask_ &= ~class_bit(urgency);
    return work;
  }

private:
  runnable_list lists_[priority_count];
  std::uint32_t mask_ = 0;
  std::uint64_t tick_ = 0;
};

} // namespace troupe::platform
