// Memory for tasks: usable to the last byte, never given out twice, and reused across threads.
#include "actors/task_memory.hpp"
#include "tests/support/threads.hpp"
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <doctest/doctest.h>
#include <set>
#include <thread>
#include <utility>
#include <vector>

using namespace troupe::detail;

namespace {

using blocks = std::vector<std::pair<unsigned char*, std::size_t>>;

blocks allocate(std::size_t count, std::size_t first_size) {
  blocks out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto size = first_size + i % 700;
    out.emplace_back(static_cast<unsigned char*>(allocate_task(size)), size);
    std::memset(out.back().first, static_cast<int>(i % 251), size);
  }
  return out;
}

bool are_intact(const blocks& all) {
  for (std::size_t i = 0; i < all.size(); ++i)
    if (std::any_of(all[i].first, all[i].first + all[i].second, [&](unsigned char byte) { return byte != i % 251; }))
      return false;
  return true;
}

void free_all(const blocks& all) {
  for (auto [block, size] : all)
    free_task(block, size);
}

} // namespace

TEST_CASE("blocks of all sizes are aligned, and no two overlap") {
  for (int round = 0; round < 5; ++round) {
    const auto all = allocate(3'000, 1); // beyond 1024 bytes they come from operator new
    const auto large = allocate(500, 900);
    CHECK(are_intact(all));
    CHECK(are_intact(large));
    for (auto [block, size] : all)
      CHECK_FALSE(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t));
    free_all(all);
    free_all(large);
  }
}

TEST_CASE("blocks that other threads free come back to those who allocate" *
          doctest::skip(!troupe::testing::has_threads)) {
  for (int round = 0; round < 20; ++round) {
    const auto all = allocate(2'000, 300);
    std::thread first([&] { free_all({all.begin(), all.begin() + 1'000}); });
    std::thread second([&] { free_all({all.begin() + 1'000, all.end()}); });
    const auto more = allocate(500, 300);
    first.join();
    second.join();
    CHECK(are_intact(more));
    free_all(more);
  }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__has_feature)
TEST_CASE("a block is reused before new memory is taken") {
  std::set<void*> seen;
  for (int i = 0; i < 10'000; ++i) {
    auto* block = allocate_task(400);
    seen.insert(block);
    free_task(block, 400);
  }
  CHECK(seen.size() <= 64);
}
#endif
