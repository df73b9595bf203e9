// What every dispatcher promises of running: once, never inside the call, in order, by weight, without allocating.
#pragma once
#include "tests/contracts/allocation_counter.hpp"
#include "tests/contracts/contract_support.hpp"
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <thread>
#include <vector>

namespace troupe::test {

TEST_CASE_TEMPLATE_DEFINE("a dispatched runnable runs exactly once, on every lane and at every priority", Backend,
                          contract_runs_once) {
  Backend backend;
  auto& on = backend.get();
  std::deque<job> jobs;
  countdown all{3 * 4 * 25};
  for (const lane where : {background_lane, foreground_lane, open(on)})
    for (const auto urgency : all_priorities)
      for (int i = 0; i < 25; ++i)
        REQUIRE_FALSE(on.dispatch(where, jobs.emplace_back([&] { all.arrive(); }), urgency));
  settle(on, all.done);
  REQUIRE(on.stop(20s));
  for (auto& each : jobs) {
    CHECK(each.runs() == 1);
    CHECK(each.drops() == 0);
  }
}

TEST_CASE_TEMPLATE_DEFINE("a runnable never runs inside the call that dispatches it", Backend, contract_not_inside) {
  Backend backend;
  auto& on = backend.get();
  // Per thread: on another thread it may well run before the call returns.
  static thread_local bool dispatching = false;
  for (const lane where : {background_lane, foreground_lane, open(on)}) {
    std::atomic<bool> inside = false;
    countdown all{3};
    job inner{[&] {
      inside = inside || dispatching;
      all.arrive();
    }};
    job timed{[&] {
      inside = inside || dispatching;
      dispatching = true;
      CHECK_FALSE(on.dispatch(where, inner, priority::critical));
      dispatching = false;
      all.arrive();
    }};
    job outer{[&] {
      inside = inside || dispatching;
      dispatching = true;
      CHECK(on.dispatch_after(0ns, where, timed, priority::critical));
      dispatching = false;
      all.arrive();
    }};
    dispatching = true;
    CHECK_FALSE(on.dispatch(where, outer, priority::critical));
    dispatching = false;
    settle(on, all.done);
    CHECK_FALSE(inside);
  }
}

TEST_CASE_TEMPLATE_DEFINE("a runnable may dispatch itself again while it runs", Backend, contract_again) {
  Backend backend;
  auto& on = backend.get();
  for (const lane where : {background_lane, foreground_lane, open(on)})
    for (const auto urgency : all_priorities) {
      latch done;
      job* self = nullptr;
      int left = 500;
      job again{[&] {
        if (--left > 0)
          CHECK_FALSE(on.dispatch(where, *self, urgency));
        else
          done.release();
      }};
      self = &again;
      REQUIRE_FALSE(on.dispatch(where, again, urgency));
      settle(on, done);
      CHECK(again.runs() == 500);
    }
}

/// Frees itself when it is done: the dispatcher must not touch it after that.
class fleeting final : public platform::runnable {
public:
  explicit fleeting(countdown& all) : all_{all} {}
  void run() noexcept override { drop(); }
  void drop() noexcept override {
    auto& all = all_;
    delete this;
    all.arrive();
  }

private:
  countdown& all_;
};

TEST_CASE_TEMPLATE_DEFINE("a runnable may free itself when it runs or is dropped", Backend, contract_frees_itself) {
  countdown all{600};
  {
    Backend backend;
    auto& on = backend.get();
    for (const lane where : {background_lane, foreground_lane, open(on)})
      for (int i = 0; i < 100; ++i) {
        REQUIRE_FALSE(on.dispatch(where, *new fleeting{all}, all_priorities[i % 4]));
        REQUIRE(on.dispatch_after(i % 2 == 0 ? 0s : 1h, where, *new fleeting{all}, priority::normal));
      }
    on.stop(20s);
  }
  CHECK(all.done.is_released());
}

TEST_CASE_TEMPLATE_DEFINE("a serial lane starts the runnables of one priority in the order of their dispatch", Backend,
                          contract_fifo) {
  Backend backend;
  auto& on = backend.get();
  for (const lane where : {foreground_lane, open(on)}) {
    std::deque<job> jobs;
    std::vector<int> order[priority_count];
    countdown all{4 * 100};
    for (int i = 0; i < 100; ++i)
      for (const auto urgency : all_priorities)
        REQUIRE_FALSE(on.dispatch(where, jobs.emplace_back([&, i, urgency] {
          order[static_cast<std::size_t>(urgency)].push_back(i);
          all.arrive();
        }),
                                  urgency));
    settle(on, all.done);
    for (auto& each : order) {
      CHECK(each.size() == 100);
      CHECK(std::is_sorted(each.begin(), each.end()));
    }
  }
}

TEST_CASE_TEMPLATE_DEFINE("in any 15 picks of a serial lane each non-empty class gets at least its weight", Backend,
                          contract_weights) {
  if constexpr (Backend::is_weighted) {
    Backend backend;
    auto& on = backend.get();
    for (const lane where : {foreground_lane, open(on)}) {
      constexpr int per_class = 60;
      std::deque<job> jobs;
      std::vector<priority> picks;
      countdown all{4 * per_class};
      // From inside, so that nothing is picked before everything is there.
      job filler{[&] {
        for (int i = 0; i < per_class; ++i)
          for (const auto urgency : all_priorities)
            CHECK_FALSE(on.dispatch(where, jobs.emplace_back([&, urgency] {
              picks.push_back(urgency);
              all.arrive();
            }),
                                    urgency));
      }};
      REQUIRE_FALSE(on.dispatch(where, filler, priority::normal));
      settle(on, all.done);
      REQUIRE(picks.size() == 4 * per_class);
      for (std::size_t first = 0; first + priority_weight_sum <= picks.size(); ++first) {
        unsigned count[priority_count] = {};
        for (std::size_t i = 0; i < priority_weight_sum; ++i)
          ++count[static_cast<std::size_t>(picks[first + i])];
        for (std::size_t c = 0; c < priority_count; ++c) {
          const auto picked_before =
              std::count(picks.begin(), picks.begin() + static_cast<std::ptrdiff_t>(first), static_cast<priority>(c));
          const bool empty_meanwhile = picked_before + count[c] == per_class;
          CHECK_MESSAGE((empty_meanwhile || count[c] >= priority_weights[c]), "window at " << first);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE_DEFINE("critical work without end does not starve the others", Backend, contract_no_starvation) {
  if constexpr (Backend::is_weighted) {
    Backend backend;
    auto& on = backend.get();
    for (const lane where : {background_lane, foreground_lane, open(on)}) {
      countdown others{3};
      countdown ended{1};
      std::atomic<bool> enough = false;
      job* self = nullptr;
      job greedy{[&] {
        if (enough)
          ended.arrive();
        else
          CHECK_FALSE(on.dispatch(where, *self, priority::critical));
      }};
      self = &greedy;
      std::atomic<int> picked_before = 0;
      job meek{[&] {
        picked_before = greedy.runs();
        others.arrive();
      }};
      job middling{[&] { others.arrive(); }};
      job urgent{[&] { others.arrive(); }};
      job start{[&] {
        CHECK_FALSE(on.dispatch(where, greedy, priority::critical));
        CHECK_FALSE(on.dispatch(where, meek, priority::background));
        CHECK_FALSE(on.dispatch(where, middling, priority::normal));
        CHECK_FALSE(on.dispatch(where, urgent, priority::foreground));
      }};
      REQUIRE_FALSE(on.dispatch(where, start, priority::normal));
      settle(on, others.done);
      if (where != background_lane) // There, another thread may have gone on with the greedy one.
        CHECK(picked_before <= static_cast<int>(priority_weight_sum));
      enough = true;
      settle(on, ended.done);
    }
  }
}

TEST_CASE_TEMPLATE_DEFINE("work that goes on for ever does not starve its like", Backend,
                          contract_no_starvation_of_like) {
  if constexpr (Backend::is_weighted) {
    Backend backend;
    auto& on = backend.get();
    for (const lane where : {background_lane, foreground_lane, open(on)})
      for (const auto urgency : all_priorities) {
        constexpr std::size_t count = 6; // More than the pools have threads.
        std::atomic<bool> enough = false;
        countdown others{count};
        countdown ended{count};
        std::deque<job> meek;
        std::deque<job> greedy;
        for (std::size_t i = 0; i < count; ++i) {
          meek.emplace_back([&] { others.arrive(); });
          greedy.emplace_back([&, i] {
            if (enough)
              ended.arrive();
            else
              CHECK_FALSE(on.dispatch(where, greedy[i], urgency));
          });
        }
        job start{[&] {
          for (std::size_t i = 0; i < count; ++i) {
            CHECK_FALSE(on.dispatch(where, meek[i], urgency));
            CHECK_FALSE(on.dispatch(where, greedy[i], urgency));
          }
        }};
        REQUIRE_FALSE(on.dispatch(where, start, priority::normal));
        settle(on, others.done);
        enough = true;
        settle(on, ended.done);
      }
  }
}

TEST_CASE_TEMPLATE_DEFINE("threads of others may dispatch", Backend, contract_foreign_threads) {
  if constexpr (Backend::has_threads) {
    Backend backend;
    auto& on = backend.get();
    const lane lanes[] = {background_lane, foreground_lane, open(on)};
    constexpr int per_thread = 2000;
    std::deque<job> jobs[3];
    countdown all{3 * per_thread};
    for (auto& each : jobs)
      for (int i = 0; i < per_thread; ++i)
        each.emplace_back([&] { all.arrive(); });
    std::vector<std::thread> threads;
    std::atomic<int> refused = 0;
    for (std::size_t t = 0; t < 3; ++t)
      threads.emplace_back([&, t] {
        refused += on.is_main_thread();
        for (int i = 0; i < per_thread; ++i)
          if (on.dispatch(lanes[static_cast<std::size_t>(i) % 3], jobs[t][static_cast<std::size_t>(i)],
                          all_priorities[i / 3 % 4]))
            ++refused;
      });
    settle(on, all.done);
    for (auto& each : threads)
      each.join();
    CHECK(refused == 0);
    REQUIRE(on.stop(20s));
    for (auto& some : jobs)
      for (auto& each : some)
        REQUIRE(each.runs() == 1);
  }
}

TEST_CASE_TEMPLATE_DEFINE("dispatching a runnable allocates nothing", Backend, contract_no_allocation) {
  if constexpr (Backend::allocates_nothing) {
    Backend backend;
    auto& on = backend.get();
    constexpr int count = 500;
    for (const lane where : {background_lane, foreground_lane, open(on)})
      for (const bool from_inside : {false, true}) {
        countdown* all = nullptr;
        std::deque<job> jobs;
        for (int i = 0; i < count; ++i)
          jobs.emplace_back([&] { all->arrive(); });
        job start{[&] {
          for (int i = 0; i < count; ++i)
            if (on.dispatch(where, jobs[static_cast<std::size_t>(i)], all_priorities[i % 4]))
              std::abort();
        }};
        std::size_t allocations = 1;
        // The first rounds warm up what is below: thread-local caches, the system's own.
        for (int round = 0; round < 5; ++round) {
          countdown done{count};
          all = &done;
          const auto before = allocation_count();
          std::error_code error;
          if (from_inside)
            error = on.dispatch(where, start, priority::normal);
          else
            start.run();
          if (!error)
            error = on.block_until(done.done, on.now() + 20s);
          allocations = allocation_count() - before;
          REQUIRE_FALSE(error);
        }
        CHECK(allocations == 0);
      }
  }
}

} // namespace troupe::test
