// Memory for tasks: lists of free blocks per thread and size, and a depot where threads exchange them.
// Why not operator new alone? A block that another thread frees goes back to the arena of the one that allocated it,
// under a lock that both then fight for: with two threads it cost more than all the rest of a task.
#include "actors/task_memory.hpp"
#include "platform/spin_lock.hpp"
#include <mutex>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#  define TROUPE_PLAIN_TASK_MEMORY 1
#elif defined(__has_feature)
#  if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#    define TROUPE_PLAIN_TASK_MEMORY 1
#  endif
#endif

namespace troupe::detail {

#ifdef TROUPE_PLAIN_TASK_MEMORY
// A sanitizer sees the use of a freed block only if it is really freed.
void* allocate_task(std::size_t size) { return ::operator new(size); }
void free_task(void* block, std::size_t) noexcept { ::operator delete(block); }
#else
namespace {

constexpr std::size_t size_step = 64;
constexpr std::size_t size_classes = 16;
constexpr std::size_t batch_size = 32;

struct free_block {
  free_block* next;
  free_block* next_batch; ///< Means something only in the first block of a batch.
};

constexpr std::size_t class_of(std::size_t size) noexcept { return (size - 1) / size_step; }
constexpr std::size_t size_of_class(std::size_t which) noexcept { return (which + 1) * size_step; }

void delete_batch(free_block* batch) noexcept {
  while (batch)
    ::operator delete(std::exchange(batch, batch->next));
}

/// Full batches of one size.
class alignas(64) depot {
public:
  free_block* take() noexcept {
    if (!has_batches_.load(std::memory_order_relaxed))
      return nullptr;
    std::lock_guard guard{lock_};
    auto* batch = batches_;
    if (batch) {
      batches_ = batch->next_batch;
      --count_;
      has_batches_.store(batches_ != nullptr, std::memory_order_relaxed);
    }
    return batch;
  }

  /// @returns false if it has enough.
  bool put(free_block* batch, std::size_t count_max) noexcept {
    std::lock_guard guard{lock_};
    if (count_ >= count_max)
      return false;
    batch->next_batch = std::exchange(batches_, batch);
    ++count_;
    has_batches_.store(true, std::memory_order_relaxed);
    return true;
  }

private:
  spin_lock lock_; ///< Guards what follows.
  free_block* batches_ = nullptr;
  std::size_t count_ = 0;
  std::atomic<bool> has_batches_ = false;
};
// Never destroyed: tasks may end after the statics of other files.
constinit depot depots[size_classes];

/// One size's free blocks of one thread: fewer than a batch at hand, and at most one batch besides.
struct free_list {
  free_block* at_hand = nullptr;
  free_block* full = nullptr;
  std::size_t count = 0; ///< At hand.
};

/// Without a destructor, so that a task which ends while its thread does still finds it.
struct thread_lists {
  free_list of_class[size_classes];
  bool is_watched = false; ///< Whether somebody empties them when the thread ends.
  bool has_ended = false;
};
constinit thread_local thread_lists lists;

struct thread_end {
  ~thread_end() {
    lists.has_ended = true;
    for (auto& list : lists.of_class) {
      delete_batch(std::exchange(list.at_hand, nullptr));
      delete_batch(std::exchange(list.full, nullptr));
      list.count = 0;
    }
  }
};

void watch_thread_end() noexcept {
  thread_local thread_end watch;
  lists.is_watched = true;
  static_cast<void>(watch);
}

void give_away(free_block* batch, std::size_t which) noexcept {
  if (!depots[which].put(batch, kept_max / (size_of_class(which) * batch_size)))
    delete_batch(batch);
}

} // namespace

void* allocate_task(std::size_t size) {
  const auto which = class_of(size);
  if (which >= size_classes)
    return ::operator new(size);
  auto& list = lists.of_class[which];
  if (!list.at_hand) {
    list.at_hand = list.full ? std::exchange(list.full, nullptr) : depots[which].take();
    if (!list.at_hand)
      return ::operator new(size_of_class(which));
    list.count = batch_size;
    if (!lists.is_watched)
      watch_thread_end();
  }
  --list.count;
  return std::exchange(list.at_hand, list.at_hand->next);
}

void free_task(void* block, std::size_t size) noexcept {
  const auto which = class_of(size);
  if (which >= size_classes || lists.has_ended) {
    ::operator delete(block);
    return;
  }
  if (!lists.is_watched)
    watch_thread_end();
  auto& list = lists.of_class[which];
  list.at_hand = new (block) free_block{list.at_hand, nullptr};
  if (++list.count < batch_size)
    return;
  if (list.full)
    give_away(list.full, which);
  list.full = std::exchange(list.at_hand, nullptr);
  list.count = 0;
}
#endif

} // namespace troupe::detail
