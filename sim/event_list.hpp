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
  std::uint64_t since = 0; ///< How many events had happened when it became enabled.
  void* subject = nullptr; ///< Whose event it is, for the engine.
  bool is_enabled() const noexcept { return bucket != nullptr; }
  candidate as_candidate() const noexcept {
    return {identity, kind, place, actor, parent, this, content, shares_memory, after};
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
    std::size_t before = 0;
    for (auto b = buckets_.begin(); b->get() != e->bucket; ++b)
      before += (*b)->size;
    auto& last = *static_cast<bucket*>(e->bucket);
    return before + static_cast<std::size_t>(std::find(last.slots, last.slots + last.size, e) - last.slots);
  }

  event& at(std::size_t index) const noexcept {
    assert(index < size_);
    auto b = buckets_.begin();
    while (index >= (*b)->size) {
      index -= (*b)->size;
      ++b;
    }
    return *(*b)->slots[index];
  }

  void push_back(event& e) {
    assert(!e.is_enabled());
    if (buckets_.empty() || buckets_.back()->size == bucket_capacity)
      buckets_.push_back(take_spare());
    auto& last = *buckets_.back();
    last.slots[last.size++] = &e;
    e.bucket = &last;
    ++size_;
  }

  void erase(event& e) noexcept {
    auto& b = *static_cast<bucket*>(e.bucket);
    auto* at = std::find(b.slots, b.slots + b.size, &e);
    std::copy(at + 1, b.slots + b.size, at);
    --b.size;
    --size_;
    e.bucket = nullptr;
    if (b.size == 0 || (b.size < bucket_capacity / 4 && buckets_.size() > 1))
      tidy(b);
  }

private:
  static constexpr std::size_t bucket_capacity = 128;
  struct bucket {
    event* slots[bucket_capacity];
    std::size_t size = 0;
  };

  std::unique_ptr<bucket> take_spare() {
    if (spares_.empty())
      return std::make_unique<bucket>();
    auto spare = std::move(spares_.back());
    spares_.pop_back();
    return spare;
  }

  /// Merges a sparse bucket into the one before it, if it fits there.
  void tidy(bucket& sparse) noexcept {
    auto self = std::find_if(buckets_.begin(), buckets_.end(), [&](auto& b) { return b.get() == &sparse; });
    if (sparse.size != 0) {
      if (self == buckets_.begin())
        return;
      auto& before = **(self - 1);
      if (before.size + sparse.size > bucket_capacity)
        return;
      for (std::size_t i = 0; i < sparse.size; ++i) {
        sparse.slots[i]->bucket = &before;
        before.slots[before.size++] = sparse.slots[i];
      }
      sparse.size = 0;
    }
    spares_.push_back(std::move(*self));
    buckets_.erase(self);
  }

  std::size_t size_ = 0;
  std::vector<std::unique_ptr<bucket>> buckets_;
  std::vector<std::unique_ptr<bucket>> spares_;
};

} // namespace troupe
