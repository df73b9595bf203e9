// The enabled events of a run, oldest first, with cheap removal from anywhere.
#pragma once
#include "platform/prefetch.hpp"
#include "sim/bit_counts.hpp"
#include "sim/decision.hpp"
#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>
#include <vector>

namespace troupe {

class event_list;

/// Something that may happen next. Its owner keeps the storage; in at most one list.
struct event {
  event_kind kind = event_kind::step;
  bool shares_memory : 1 = false;
  bool is_in_transit : 1 = false; ///< An arrival from between nodes: it is in no outbox.
  bool is_urgent : 1 = false;     ///< Its message goes ahead of others.
  bool overtakes : 1 = false;     ///< `candidate::is_urgent`.
  bool is_epilogue : 1 = false;   ///< Only settles a task whose work has ended: not told of in traces.
  bool has_extras : 1 = false;    ///< See `parcel::extras`.

private:
  friend event_list;
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  std::uint32_t slot = none; // here, where it fills a gap: events are many

public:
  std::uint64_t identity = 0;
  std::uint64_t place = 0;
  std::uint64_t actor = 0;
  std::uint64_t parent = 0;
  std::uint64_t after = 0;
  std::uint64_t message_type = 0; ///< `candidate::content`.
  std::uint64_t since = 0;        ///< How many events had happened when it became enabled.
  std::uint64_t overtaken = 0;
  bool is_enabled() const noexcept { return slot != none; }
  candidate as_candidate() const noexcept {
    return {identity, kind, place, actor, parent, this, message_type, shares_memory, after, overtakes, overtaken};
  }
};

/// Each event gets the next of a row of slots; slots that are taken have a bit, and the bits are counted in a Fenwick
/// tree (Fenwick 1994). When the row is full its events move up, into a longer one if it is more than half taken. So
/// nothing but the k-th event itself is touched to find it, and all else takes O(log n).
class event_list final : public candidates {
public:
  std::size_t size() const noexcept override { return size_; }
  candidate operator[](std::size_t index) const noexcept override { return at(index).as_candidate(); }
  std::size_t index_of(const void* key) const noexcept override {
    const std::size_t slot = static_cast<const event*>(key)->slot;
    std::size_t before = 0;
    for (auto word = slot / word_bits; word > 0; word &= word - 1)
      before += counts_[word];
    const auto below = (std::uint64_t{1} << slot % word_bits) - 1;
    return before + count_of_bits(taken_[slot / word_bits] & below);
  }

  event& at(std::size_t index) const noexcept { return *slots_[slot_of(index)]; }

  /// Where the list keeps the event that `at` would return. For guesses: see `in_slot`.
  std::size_t slot_of(std::size_t index) const noexcept {
    assert(index < size_);
    std::size_t word = 0;
    for (auto width = taken_.size() / 2; width > 0; width /= 2) {
      const std::size_t count = counts_[word + width];
      const bool is_behind = count <= index;
      word += is_behind ? width : 0;
      index -= is_behind ? count : 0;
    }
    auto bits = taken_[word];
    if (size_ > few)
      return word * word_bits + place_of_bit(bits, static_cast<unsigned>(index));
    for (; index > 0; --index)
      bits &= bits - 1; // without its lowest one
    return word * word_bits + static_cast<std::size_t>(std::countr_zero(bits));
  }

  /// What is in a slot that was told before: the same event, if it has not gone and the list was not tidied since; else
  /// one that is or was in the list, or null.
  event* in_slot(std::size_t slot) const noexcept { return slot < slots_.size() ? slots_[slot] : nullptr; }
  void prefetch_slot(std::size_t slot) const noexcept { platform::prefetch(slots_.data() + slot); }

  void push_back(event& e) {
    assert(!e.is_enabled());
    if (end_ == slots_.size())
      make_room();
    e.slot = static_cast<std::uint32_t>(end_++);
    slots_[e.slot] = &e;
    taken_[e.slot / word_bits] |= std::uint64_t{1} << e.slot % word_bits;
    count(e.slot / word_bits, 1);
    ++size_;
  }

  void erase(event& e) noexcept {
    const auto word = e.slot / word_bits;
    taken_[word] &= ~(std::uint64_t{1} << e.slot % word_bits);
    count(word, ~std::uint32_t{0}); // one less
    --size_;
    e.slot = event::none;
  }

  /// Puts `next` where `e` was.
  void replace(event& e, event& next) noexcept {
    assert(e.is_enabled() && !next.is_enabled());
    next.slot = std::exchange(e.slot, event::none);
    slots_[next.slot] = &next;
  }

private:
  static constexpr std::size_t word_bits = 64;
  static constexpr std::size_t few = 32; ///< Among them, looking at one bit after the other is faster.

  void count(std::size_t word, std::uint32_t change) noexcept {
    for (++word; word < counts_.size(); word += lowest_bit(word))
      counts_[word] += change;
  }

  static constexpr std::size_t lowest_bit(std::size_t of) noexcept { return of & (~of + 1); }

  void make_room() {
    std::uint32_t kept = 0;
    for (std::size_t word = 0; word < taken_.size(); ++word)
      for (auto bits = taken_[word]; bits != 0; bits &= bits - 1) {
        auto* e = slots_[word * word_bits + static_cast<std::size_t>(std::countr_zero(bits))];
        e->slot = kept;
        slots_[kept++] = e;
      }
    end_ = kept;
    if (2 * end_ >= slots_.size())
      slots_.resize(std::max(2 * slots_.size(), word_bits));
    taken_.assign(slots_.size() / word_bits, 0);
    std::fill_n(taken_.begin(), end_ / word_bits, ~std::uint64_t{0});
    if (end_ % word_bits != 0)
      taken_[end_ / word_bits] = (std::uint64_t{1} << end_ % word_bits) - 1;
    counts_.assign(taken_.size() + 1, 0);
    for (std::size_t i = 1; i < counts_.size(); ++i) {
      const auto begin = std::min((i - lowest_bit(i)) * word_bits, end_);
      counts_[i] = static_cast<std::uint32_t>(std::min(i * word_bits, end_) - begin);
    }
  }

  std::size_t size_ = 0;
  std::size_t end_ = 0; // of the slots that have been used
  std::vector<event*> slots_;
  std::vector<std::uint64_t> taken_;  // a bit for each slot; as many words as a power of two
  std::vector<std::uint32_t> counts_; // Fenwick tree over the words of `taken_`, from 1
};

} // namespace troupe
