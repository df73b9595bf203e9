// Pending timers in the order of their due times.
#pragma once
#include "platform/dispatcher.hpp"
#include <vector>

namespace troupe::platform {

/// What a timer dispatches, and when.
struct timer_entry {
  time_point due;
  lane where;
  runnable* work = nullptr;
  priority urgency = priority::normal;
};

/// A heap whose entries can be taken back by id. Equal due times keep the order of `add`. Allocates only to grow
/// beyond the most timers it ever held. Not thread-safe.
class timer_queue {
public:
  bool empty() const noexcept { return heap_.empty(); }

  /// Of the timer that is due first. @pre `!empty()`
  time_point next_due() const noexcept { return slots_[heap_.front()].entry.due; }

  timer_id add(const timer_entry& entry);

  /// @returns whether the timer was pending; it no longer is.
  bool cancel(timer_id timer) noexcept;

  /// Takes the timer that is due first. @pre `!empty()`
  timer_entry pop() noexcept;

private:
  // An id is the slot and the slot's generation, so that ids are never used twice.
  static constexpr unsigned slot_bits = 24;

  struct slot {
    timer_entry entry;
    std::uint64_t order = 0;      ///< Of `add`.
    std::uint64_t generation = 0; ///< Counts the uses of the slot.
    std::size_t position = 0;     ///< In the heap; `npos` if free.
  };
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

  bool before(std::uint32_t a, std::uint32_t b) const noexcept;
  void put(std::size_t position, std::uint32_t number) noexcept;
  void sift_up(std::size_t position) noexcept;
  void sift_down(std::size_t position) noexcept;
  void erase(std::size_t position) noexcept;

  std::vector<slot> slots_;
  std::vector<std::uint32_t> heap_; ///< Numbers of slots.
  std::vector<std::uint32_t> free_;
  std::uint64_t order_ = 0;
};

} // namespace troupe::platform
