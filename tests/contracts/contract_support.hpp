// What the tests of dispatchers dispatch and wait for.
#pragma once
#include "platform/dispatcher.hpp"
#include <atomic>
#include <doctest/doctest.h>
#include <functional>

namespace troupe::test {

using namespace std::chrono_literals;
using platform::background_lane;
using platform::dispatch_errc;
using platform::dispatcher;
using platform::foreground_lane;
using platform::lane;
using platform::latch;

/// Calls a function when it runs; counts what happened to it.
class job final : public platform::runnable {
public:
  explicit job(std::function<void()> work = {}, std::function<void()> dropped = {})
      : work_{std::move(work)}, dropped_{std::move(dropped)} {}

  void run() noexcept override {
    // Counted first: what it does may let the test go on.
    runs_.fetch_add(1);
    if (work_)
      work_();
  }
  void drop() noexcept override {
    drops_.fetch_add(1);
    if (dropped_)
      dropped_();
  }

  int runs() const noexcept { return runs_.load(); }
  int drops() const noexcept { return drops_.load(); }

private:
  std::function<void()> work_;
  std::function<void()> dropped_;
  std::atomic<int> runs_ = 0;
  std::atomic<int> drops_ = 0;
};

/// A latch that is released by the last of `count` arrivals.
class countdown {
public:
  explicit countdown(int count) : left_{count} {}
  void arrive() noexcept {
    if (left_.fetch_sub(1) == 1)
      done.release();
  }
  latch done;

private:
  std::atomic<int> left_;
};

inline constexpr priority all_priorities[] = {priority::background, priority::normal, priority::foreground,
                                              priority::critical};

inline bool is(const std::error_code& code, dispatch_errc expected) noexcept { return code == expected; }

/// Lets the dispatcher work until `done`; what should happen is a matter of milliseconds.
inline void settle(dispatcher& on, latch& done) { REQUIRE_FALSE(on.block_until(done, on.now() + 20s)); }

/// A dedicated lane that must be there.
inline lane open(dispatcher& on, const char* name = "test") {
  std::error_code error;
  const lane opened = on.open_lane(name, error);
  REQUIRE_FALSE(error);
  return opened;
}

} // namespace troupe::test
