// The heap of timers.
#include "platform/timer_queue.hpp"
#include <cassert>
#include <stdexcept>

namespace troupe::platform {

timer_id timer_queue::add(const timer_entry& entry) {
  if (free_.empty()) {
    if (slots_.size() + 1 >= (std::size_t{1} << slot_bits))
      throw std::length_error{"too many pending timers"};
    // What may throw comes first, so that nothing is half done. `free_` must be able to take every slot back.
    heap_.reserve(slots_.size() + 1 > heap_.capacity() ? 2 * slots_.size() + 1 : 0);
    free_.reserve(slots_.size() + 1 > free_.capacity() ? 2 * slots_.size() + 1 : 0);
    slots_.emplace_back();
    free_.push_back(static_cast<std::uint32_t>(slots_.size() - 1));
  }
  const auto number = free_.back();
  free_.pop_back();
  auto& it = slots_[number];
  it.entry = entry;
  it.order = ++order_;
  ++it.generation;
  heap_.push_back(number);
  it.position = heap_.size() - 1;
  sift_up(it.position);
  return {it.generation << slot_bits | (number + 1)};
}

bool timer_queue::cancel(timer_id timer) noexcept {
  const auto number = (timer.value & ((std::uint64_t{1} << slot_bits) - 1)) - 1;
  if (number >= slots_.size())
    return false;
  const auto& it = slots_[number];
  if (it.position == npos || it.generation != timer.value >> slot_bits)
    return false;
  erase(it.position);
  return true;
}

timer_entry timer_queue::pop() noexcept {
  assert(!empty());
  const auto entry = slots_[heap_.front()].entry;
  erase(0);
  return entry;
}

bool timer_queue::before(std::uint32_t a, std::uint32_t b) const noexcept {
  const auto& x = slots_[a];
  const auto& y = slots_[b];
  return x.entry.due != y.entry.due ? x.entry.due < y.entry.due : x.order < y.order;
}

void timer_queue::put(std::size_t position, std::uint32_t number) noexcept {
  heap_[position] = number;
  slots_[number].position = position;
}

void timer_queue::sift_up(std::size_t position) noexcept {
  const auto number = heap_[position];
  while (position > 0 && before(number, heap_[(position - 1) / 2])) {
    put(position, heap_[(position - 1) / 2]);
    position = (position - 1) / 2;
  }
  put(position, number);
}

void timer_queue::sift_down(std::size_t position) noexcept {
  const auto number = heap_[position];
  for (;;) {
    auto child = 2 * position + 1;
    if (child >= heap_.size())
      break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child]))
      ++child;
    if (!before(heap_[child], number))
      break;
    put(position, heap_[child]);
    position = child;
  }
  put(position, number);
}

void timer_queue::erase(std::size_t position) noexcept {
  const auto number = heap_[position];
  const auto last = heap_.back();
  heap_.pop_back();
  if (last != number) {
    put(position, last);
    sift_up(position);
    sift_down(slots_[last].position);
  }
  slots_[number].position = npos;
  slots_[number].entry.work = nullptr;
  free_.push_back(number);
}

} // namespace troupe::platform
