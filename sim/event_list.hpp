// The enabled events of a run, oldest first, with cheap removal from anywhere.
#pragma once
#include "sim/decision.hpp"
#include <algorithm>
#include <cassert>
#include <memory>
#include <vector>

namespace troupe {

class event_list;

/// Something that may happen next. Its owner keeps the storage; linked into at most one list.
struct event {
  event_kind kind = event_kind::step;
  std::uint64_t place = 0;
  std::uint64_t actor = 0;
  std::uint64_t identity = 0;
  std::uint64_t parent = 0;
  std::uint64_t after = 0;
  std::uint64_t content = 0;
  bool shares_memory = false;
  bool is_urgent = false;
  std::uint64_t overtaken = 0;
  bool is_in_transit = false; ///< An arrival from between nodes: its subject is the message itself, not its sender.
  std::uint64_t since = 0;    ///< How many events had happened when it became enabled.
  void* subject = nullptr;    ///< Whose event it is, for the engine.
  bool is_enabled() const noexcept { return bucket != nullptr; }
  candidate as_candidate() const noexcept {
    return {identity, kind, place, actor, parent, this, content, shares_memory, after, is_urgent, overtaken};
  }

private:
  friend event_list;
  void* bucket = nullptr;
};

/// A sequence of short arrays: append, erase and k-th cost a few cache lines up to tens of thousands of events.
class event_list final : public candidates {
public:
  std::size_t size() const noexcept override { return size_; }
  candidate operator[](std::size_t index) const noexcept override { return at(index).as_candidate(); }
  std::size_t index_of(const void* key) const noexcept override {
    auto* e = static_cast<const event*>(key);
    auto& last = *static_cast<bucket*>(e->bucket);
    std::size_t before = 0;
    for (std::size_t b = 0; b < last.position; ++b)
      before += sizes_[b];
    return before + static_cast<std::size_t>(std::find(last.slots, last.slots + sizes_[last.position], e) - last.slots);
  }

  event& at(std::size_t index) const noexcept {
    assert(index < size_);
    std::size_t b = 0;
    while (index >= sizes_[b])
      index -= sizes_[b++];
    return *buckets_[b]->slots[index];
  }

  void push_back(event& e) {
    assert(!e.is_enabled());
    if (buckets_.empty() || sizes_.back() == bucket_capacity) {
      buckets_.push_back(take_spare());
      buckets_.back()->position = sizes_.size();
      sizes_.push_back(0);
    }
    auto& last = *buckets_.back();
    last.slots[sizes_.back()++] = &e;
    e.bucket = &last;
    ++size_;
  }

  void erase(event& e) noexcept {
    auto& b = *static_cast<bucket*>(e.bucket);
    auto& size = sizes_[b.position];
    auto* at = std::find(b.slots, b.slots + size, &e);
    std::copy(at + 1, b.slots + size, at);
    --size;
    --size_;
    e.bucket = nullptr;
    if (size == 0 || (size < bucket_capacity / 4 && buckets_.size() > 1))
      tidy(b.position);
  }

private:
  static constexpr std::size_t bucket_capacity = 128;
  struct bucket {
    event* slots[bucket_capacity];
    std::size_t position = 0; ///< In `buckets_`.
  };

  std::unique_ptr<bucket> take_spare() {
    if (spares_.empty())
      return std::make_unique<bucket>();
    auto spare = std::move(spares_.back());
    spares_.pop_back();
    return spare;
  }

  /// Merges a sparse bucket into the one before it, if it fits there.
  void tidy(std::size_t position) noexcept {
    auto& size = sizes_[position];
    if (size != 0) {
      if (position == 0 || sizes_[position - 1] + size > bucket_capacity)
        return;
      auto& before = *buckets_[position - 1];
      for (std::size_t i = 0; i < size; ++i) {
        auto* moved = buckets_[position]->slots[i];
        moved->bucket = &before;
        before.slots[sizes_[position - 1]++] = moved;
      }
    }
    spares_.push_back(std::move(buckets_[position]));
    buckets_.erase(buckets_.begin() + static_cast<std::ptrdiff_t>(position));
    sizes_.erase(sizes_.begin() + static_cast<std::ptrdiff_t>(position));
    for (; position < buckets_.size(); ++position)
      buckets_[position]->position = position;
  }

  std::size_t size_ = 0;
  std::vector<std::unique_ptr<bucket>> buckets_;
  std::vector<std::size_t> sizes_; // of the buckets: side by side, as a pick goes through them
  std::vector<std::unique_ptr<bucket>> spares_;
};

} // namespace troupe
