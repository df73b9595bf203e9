// Allocation functions that count.
#include "tests/contracts/allocation_counter.hpp"
#include <atomic>
#include <cstdlib>
#include <new>

#if defined(__has_feature)
#  if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#    define TROUPE_TEST_IS_SANITIZED
#  endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#  define TROUPE_TEST_IS_SANITIZED
#endif
#if defined(__GLIBC__) && !defined(TROUPE_TEST_IS_SANITIZED)
#  include <malloc.h>
#  define TROUPE_TEST_COUNTS_ALIGNED_ALLOC
#endif

namespace {
std::atomic<std::size_t> count = 0;

// Windows has aligned memory from functions of its own.
void* aligned(std::size_t size, std::size_t alignment) noexcept {
#ifdef _WIN32
  return _aligned_malloc(size, alignment);
#else
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
#endif
}

void free_aligned(void* place) noexcept {
#ifdef _WIN32
  _aligned_free(place);
#else
  std::free(place);
#endif
}

void* allocate(std::size_t size, std::size_t alignment) {
  count.fetch_add(1, std::memory_order_relaxed);
  size = size > 0 ? size : 1;
  void* place = alignment > 0 ? aligned(size, alignment) : std::malloc(size);
  if (!place)
    throw std::bad_alloc{};
  return place;
}
} // namespace

std::size_t troupe::test::allocation_count() noexcept { return count.load(); }

#ifdef TROUPE_TEST_COUNTS_ALIGNED_ALLOC
// Asio's way of allocating a handler passes operator new by.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  count.fetch_add(1, std::memory_order_relaxed);
  return memalign(alignment, size);
}
#endif

void* operator new(std::size_t size) { return allocate(size, 0); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* place) noexcept { std::free(place); }
void operator delete(void* place, std::size_t) noexcept { std::free(place); }
void operator delete(void* place, std::align_val_t) noexcept { free_aligned(place); }
void operator delete(void* place, std::size_t, std::align_val_t) noexcept { free_aligned(place); }
