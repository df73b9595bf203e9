// What every dispatcher promises, as tests over a backend; TROUPE_DISPATCHER_CONTRACT(backend) instantiates them.
//
// A backend is default-constructible and has
//   dispatcher& get();                             a fresh dispatcher whose main thread is the caller's
//   static constexpr std::size_t threads;          thread_count() of the fresh one
//   static constexpr std::size_t threads_per_lane; what each open dedicated lane adds
//   static constexpr bool has_threads;             other threads may dispatch to it
//   static constexpr bool is_weighted;             it keeps the weights of priorities (a simulator may decide
//   otherwise) static constexpr bool allocates_nothing;       per dispatch of a runnable
// The tests make progress through block_until and stop alone, so virtual time and a single thread will do.
#pragma once
#include "platform/runnable_queue.hpp"
#include "tests/contracts/allocation_counter.hpp"
#include "tests/contracts/contract_support.hpp"
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace troupe::test {

inline constexpr priority all_priorities[] = {priority::background, priority::normal, priority::foreground,
                                              priority::critical};

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

TEST_CASE_TEMPLATE_DEFINE("a runnable knows where it is", Backend, contract_place) {
  Backend backend;
  auto& on = backend.get();
  const lane first = open(on, "first");
  const lane second = open(on, "second");
  const lane lanes[] = {background_lane, foreground_lane, first, second};
  CHECK(on.is_main_thread());
  for (const lane here : lanes)
    CHECK_FALSE(on.is_on(here));
  for (const lane here : lanes) {
    std::vector<lane> found;
    bool main_thread = false;
    latch done;
    job look{[&] {
      for (const lane each : lanes)
        if (on.is_on(each))
          found.push_back(each);
      main_thread = on.is_main_thread();
      done.release();
    }};
    REQUIRE_FALSE(on.dispatch(here, look, priority::normal));
    settle(on, done);
    CHECK(found == std::vector{here});
    CHECK((main_thread || here != foreground_lane));
    CHECK((!main_thread || here == foreground_lane || !Backend::has_threads));
  }
}

TEST_CASE_TEMPLATE_DEFINE("a closed lane runs what is queued and refuses the rest", Backend, contract_close_lane) {
  Backend backend;
  auto& on = backend.get();
  std::deque<job> jobs;
  countdown all{51};
  const lane where = open(on);
  for (int i = 0; i < 50; ++i)
    REQUIRE_FALSE(on.dispatch(where, jobs.emplace_back([&] { all.arrive(); }), priority::normal));
  on.close_lane(where);
  on.close_lane(where); // Harmless.
  job late;
  CHECK(is(on.dispatch(where, late, priority::normal), dispatch_errc::unknown_lane));
  CHECK(is(on.dispatch(lane{4711}, late, priority::normal), dispatch_errc::unknown_lane));
  const lane another = open(on);
  CHECK_FALSE(another == where);
  REQUIRE_FALSE(on.dispatch(another, jobs.emplace_back([&] { all.arrive(); }), priority::normal));
  settle(on, all.done);
  CHECK(late.runs() + late.drops() == 0);
}

TEST_CASE_TEMPLATE_DEFINE("a timer whose lane was closed drops its runnable", Backend, contract_timer_closed_lane) {
  Backend backend;
  auto& on = backend.get();
  latch gone;
  job late{[&] { gone.release(); }, [&] { gone.release(); }};
  const lane where = open(on);
  REQUIRE(on.dispatch_after(3ms, where, late, priority::normal));
  on.close_lane(where);
  settle(on, gone);
  CHECK(late.runs() == 0);
  CHECK(late.drops() == 1);
}

TEST_CASE_TEMPLATE_DEFINE("lanes can be opened and closed without end", Backend, contract_many_lanes) {
  Backend backend;
  auto& on = backend.get();
  std::set<std::uint32_t> numbers;
  for (int i = 0; i < 400; ++i) {
    latch done;
    job work{[&] { done.release(); }};
    const lane where = open(on);
    numbers.insert(where.number);
    REQUIRE_FALSE(on.dispatch(where, work, priority::normal));
    settle(on, done);
    on.close_lane(where);
  }
  CHECK(numbers.size() == 400);
}

TEST_CASE_TEMPLATE_DEFINE("a dispatcher counts its threads", Backend, contract_thread_count) {
  Backend backend;
  auto& on = backend.get();
  CHECK(on.thread_count() == Backend::threads);
  open(on);
  open(on);
  CHECK(on.thread_count() == Backend::threads + 2 * Backend::threads_per_lane);
}

TEST_CASE_TEMPLATE_DEFINE("timers fire in order and never early", Backend, contract_timers) {
  Backend backend;
  auto& on = backend.get();
  struct timed {
    platform::time_point due_min;
    platform::time_point due_max;
  };
  for (const lane where : {foreground_lane, open(on), background_lane}) {
    std::deque<job> jobs;
    std::vector<timed> timers;
    std::vector<std::size_t> order;
    std::atomic<int> early = 0;
    countdown all{6};
    for (const auto wait : {20ms, 5ms, 15ms, 0ms, 10ms, 5ms}) {
      const auto due = on.now() + wait;
      auto& work = jobs.emplace_back([&, due, where, number = timers.size()] {
        if (where != background_lane)
          order.push_back(number);
        early += on.now() < due;
        all.arrive();
      });
      REQUIRE(on.dispatch_after(wait, where, work, priority::normal));
      timers.push_back({due, on.now() + wait});
    }
    settle(on, all.done);
    CHECK(early == 0);
    // Where the calls took long, the order of two due times is anybody's guess.
    for (std::size_t i = 0; i < order.size(); ++i)
      for (std::size_t later = i + 1; later < order.size(); ++later)
        CHECK(timers[order[i]].due_min <= timers[order[later]].due_max);
  }
}

TEST_CASE_TEMPLATE_DEFINE("a cancelled timer hands its runnable back", Backend, contract_cancel) {
  Backend backend;
  auto& on = backend.get();
  for (const lane where : {background_lane, foreground_lane, open(on)}) {
    latch done;
    latch never;
    job work{[&] { done.release(); }};
    const auto timer = on.dispatch_after(1h, where, work, priority::normal);
    REQUIRE(timer);
    CHECK(on.cancel(timer));
    CHECK_FALSE(on.cancel(timer));
    // It is the caller's again, who may dispatch it anew.
    const auto second = on.dispatch_after(3ms, where, work, priority::normal);
    CHECK_FALSE(second == timer);
    CHECK_FALSE(on.cancel(timer));
    const bool taken_back = on.cancel(second); // False only if this took more than 3 ms.
    CHECK(is(on.block_until(never, on.now() + 6ms), dispatch_errc::timed_out));
    CHECK((taken_back ? work.runs() == 0 : work.runs() <= 1));
    if (taken_back)
      REQUIRE(on.dispatch_after(1ms, where, work, priority::normal));
    settle(on, done);
    CHECK(work.runs() == 1);
    CHECK(work.drops() == 0);
    CHECK_FALSE(on.cancel(second));
  }
  latch done;
  job work{[&] { done.release(); }};
  const auto timer = on.dispatch_after(0ns, foreground_lane, work, priority::normal);
  settle(on, done);
  CHECK_FALSE(on.cancel(timer));
  CHECK_FALSE(on.cancel({}));
  CHECK_FALSE(on.cancel({0xffff'ffff'ffff'ffff}));
}

TEST_CASE_TEMPLATE_DEFINE("timers that are taken back leave the others alone", Backend, contract_cancel_many) {
  Backend backend;
  auto& on = backend.get();
  std::deque<job> jobs;
  std::vector<platform::timer_id> timers;
  std::set<std::uint64_t> ids;
  countdown* all = nullptr;
  for (int i = 0; i < 300; ++i) {
    auto& work = jobs.emplace_back([&] { all->arrive(); });
    timers.push_back(
        on.dispatch_after(std::chrono::milliseconds{5 + i * 7 % 11}, foreground_lane, work, priority::normal));
    ids.insert(timers.back().value);
  }
  CHECK(ids.size() == 300);
  // None of them has run yet, on the main thread; but some may have been queued.
  std::vector<bool> cancelled;
  for (std::size_t i = 0; i < 300; ++i)
    cancelled.push_back(i % 3 != 0 && on.cancel(timers[i]));
  countdown rest{static_cast<int>(std::count(cancelled.begin(), cancelled.end(), false))};
  all = &rest;
  settle(on, rest.done);
  REQUIRE(on.stop(20s));
  for (std::size_t i = 0; i < 300; ++i)
    CHECK(jobs[i].runs() == (cancelled[i] ? 0 : 1));
}

TEST_CASE_TEMPLATE_DEFINE("a wait ends at its deadline, and the latch can be waited for again", Backend,
                          contract_timeout) {
  Backend backend;
  auto& on = backend.get();
  latch done;
  const auto deadline = on.now() + 5ms;
  CHECK(is(on.block_until(done, deadline), dispatch_errc::timed_out));
  CHECK(on.now() >= deadline);
  CHECK(is(on.block_until(done, on.now()), dispatch_errc::timed_out));
  CHECK(is(on.block_until(done, on.now() - 1s), dispatch_errc::timed_out));
  job work{[&] { done.release(); }};
  REQUIRE(on.dispatch_after(1ms, background_lane, work, priority::normal));
  settle(on, done);
  CHECK_FALSE(on.block_until(done, on.now() - 1s)); // Released wins over late.
  CHECK_FALSE(on.block_until(done, {}));
}

TEST_CASE_TEMPLATE_DEFINE("a latch may be destroyed as soon as the wait for it has ended", Backend, contract_latch) {
  Backend backend;
  auto& on = backend.get();
  for (int i = 0; i < 300; ++i) {
    auto done = std::make_unique<latch>();
    job work{[&] { done->release(); }};
    REQUIRE_FALSE(on.dispatch(i % 2 == 0 ? background_lane : foreground_lane, work, priority::normal));
    REQUIRE_FALSE(on.block_until(*done, {}));
    done.reset();
  }
}

TEST_CASE_TEMPLATE_DEFINE("a runnable may wait for others, in any lane", Backend, contract_nested) {
  Backend backend;
  auto& on = backend.get();
  const lane dedicated = open(on);
  for (const lane outer : {background_lane, foreground_lane, dedicated})
    for (const lane inner : {background_lane, foreground_lane, dedicated}) {
      if (outer == dedicated && inner == dedicated)
        continue; // Waits for ever where the lane has a thread of its own.
      latch done;
      latch inner_done;
      bool was_on = false;
      std::error_code error = make_error_code(dispatch_errc::stopped);
      job second{[&] {
        was_on = on.is_on(inner);
        inner_done.release();
      }};
      job first{[&] {
        CHECK_FALSE(on.dispatch(inner, second, priority::normal));
        error = on.block_until(inner_done, on.now() + 20s);
        done.release();
      }};
      REQUIRE_FALSE(on.dispatch(outer, first, priority::normal));
      settle(on, done);
      CHECK_FALSE(error);
      CHECK(was_on);
    }
}

TEST_CASE_TEMPLATE_DEFINE("waits nest on the main thread, and each ends at its own deadline", Backend,
                          contract_nested_timeout) {
  Backend backend;
  auto& on = backend.get();
  latch done;
  latch never;
  std::vector<int> order;
  job other{[&] { order.push_back(1); }};
  job third{[&] {
    order.push_back(2);
    CHECK(is(on.block_until(never, on.now() + 2ms), dispatch_errc::timed_out));
    order.push_back(3);
  }};
  job second{[&] {
    CHECK(is(on.block_until(never, on.now() + 10ms), dispatch_errc::timed_out));
    order.push_back(4);
    done.release();
  }};
  REQUIRE_FALSE(on.dispatch(foreground_lane, second, priority::normal));
  REQUIRE_FALSE(on.dispatch(foreground_lane, other, priority::normal));
  REQUIRE_FALSE(on.dispatch(foreground_lane, third, priority::normal));
  settle(on, done);
  CHECK(order == std::vector{1, 2, 3, 4});
}

TEST_CASE_TEMPLATE_DEFINE("stop lets queued work end", Backend, contract_stop_runs) {
  Backend backend;
  auto& on = backend.get();
  std::deque<job> jobs;
  for (const lane where : {background_lane, foreground_lane, open(on)})
    for (int i = 0; i < 200; ++i)
      REQUIRE_FALSE(on.dispatch(where, jobs.emplace_back(), all_priorities[i % 4]));
  CHECK(on.stop(20s));
  for (auto& each : jobs)
    CHECK(each.runs() == 1);
}

TEST_CASE_TEMPLATE_DEFINE("work that runs during stop cannot dispatch any more", Backend, contract_stop_inside) {
  Backend backend;
  auto& on = backend.get();
  job late;
  std::error_code error;
  platform::timer_id timer{1};
  job work{[&] {
    error = on.dispatch(foreground_lane, late, priority::normal);
    timer = on.dispatch_after(0ns, background_lane, late, priority::normal);
  }};
  REQUIRE_FALSE(on.dispatch(foreground_lane, work, priority::normal));
  CHECK(on.stop(20s));
  CHECK(work.runs() == 1);
  CHECK(is(error, dispatch_errc::stopped));
  CHECK_FALSE(timer);
  CHECK(late.runs() + late.drops() == 0);
}

TEST_CASE_TEMPLATE_DEFINE("stop drops waiting timers, on the main thread for the foreground lane", Backend,
                          contract_stop_timers) {
  Backend backend;
  auto& on = backend.get();
  std::deque<job> jobs;
  int on_main_thread = 0;
  for (const lane where : {background_lane, foreground_lane, open(on)})
    for (int i = 0; i < 10; ++i) {
      auto& work = jobs.emplace_back(std::function<void()>{},
                                     [&, where] { on_main_thread += where == foreground_lane && on.is_main_thread(); });
      REQUIRE(on.dispatch_after(1h, where, work, priority::normal));
    }
  const auto before = on.now();
  CHECK(on.stop(20s));
  CHECK(on.now() - before < 10s);
  CHECK(on_main_thread == 10);
  for (auto& each : jobs) {
    CHECK(each.runs() == 0);
    CHECK(each.drops() == 1);
  }
}

TEST_CASE_TEMPLATE_DEFINE("a stopped dispatcher refuses everything", Backend, contract_refuses) {
  Backend backend;
  auto& on = backend.get();
  const lane dedicated = open(on);
  job work;
  const auto timer = on.dispatch_after(1h, background_lane, work, priority::normal);
  REQUIRE(on.stop(20s));
  CHECK(on.stop(20s)); // Harmless.
  CHECK_FALSE(on.cancel(timer));
  CHECK(work.drops() == 1);
  job late;
  for (const lane where : {background_lane, foreground_lane, dedicated})
    for (const auto urgency : all_priorities) {
      CHECK(is(on.dispatch(where, late, urgency), dispatch_errc::stopped));
      CHECK_FALSE(on.dispatch_after(1ms, where, late, urgency));
    }
  std::error_code error;
  on.open_lane("late", error);
  CHECK(is(error, dispatch_errc::stopped));
  on.close_lane(dedicated);
  latch done;
  CHECK(is(on.block_until(done, {}), dispatch_errc::stopped));
  done.release();
  CHECK_FALSE(on.block_until(done, {}));
  CHECK(late.runs() + late.drops() == 0);
}

TEST_CASE_TEMPLATE_DEFINE("whatever was accepted is run or dropped before the dispatcher is gone", Backend,
                          contract_destructor) {
  for (const bool stopped : {false, true}) {
    std::deque<job> jobs;
    {
      Backend backend;
      auto& on = backend.get();
      for (const lane where : {background_lane, foreground_lane, open(on)})
        for (int i = 0; i < 300; ++i) {
          REQUIRE_FALSE(on.dispatch(where, jobs.emplace_back(), all_priorities[i % 4]));
          if (i % 10 == 0)
            REQUIRE(on.dispatch_after(i * 1us, where, jobs.emplace_back(), priority::normal));
        }
      if (stopped)
        on.stop(0s);
    }
    for (auto& each : jobs)
      CHECK(each.runs() + each.drops() == 1);
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

TEST_CASE_TEMPLATE_DEFINE("threads of others may wait, until stop at the latest", Backend, contract_foreign_wait) {
  if constexpr (Backend::has_threads) {
    Backend backend;
    auto& on = backend.get();
    latch first;
    latch never;
    latch third;
    std::error_code errors[3];
    std::thread waiter{[&] {
      errors[0] = on.block_until(first, {});
      errors[1] = on.block_until(never, on.now() + 2ms);
      third.release();
      errors[2] = on.block_until(never, {});
    }};
    job work{[&] { first.release(); }};
    REQUIRE_FALSE(on.dispatch(foreground_lane, work, priority::normal));
    settle(on, third);
    CHECK(on.stop(20s));
    waiter.join();
    CHECK_FALSE(errors[0]);
    CHECK(is(errors[1], dispatch_errc::timed_out));
    CHECK(is(errors[2], dispatch_errc::stopped));
  }
}

TEST_CASE_TEMPLATE_DEFINE("a timer is either fired or taken back, whoever is faster", Backend, contract_cancel_race) {
  if constexpr (Backend::has_threads) {
    Backend backend;
    auto& on = backend.get();
    std::deque<job> jobs;
    std::vector<bool> cancelled;
    for (int i = 0; i < 3000; ++i) {
      const auto timer = on.dispatch_after(i % 50 * 1us, background_lane, jobs.emplace_back(), priority::normal);
      cancelled.push_back(on.cancel(timer));
    }
    REQUIRE(on.stop(20s));
    for (std::size_t i = 0; i < jobs.size(); ++i)
      REQUIRE(jobs[i].runs() + jobs[i].drops() + (cancelled[i] ? 1 : 0) == 1);
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

/// Instantiates the contract for a backend, once per file.
#define TROUPE_DISPATCHER_CONTRACT(backend)                                                                            \
  TEST_CASE_TEMPLATE_INVOKE(contract_runs_once, backend);                                                              \
  TEST_CASE_TEMPLATE_INVOKE(contract_not_inside, backend);                                                             \
  TEST_CASE_TEMPLATE_INVOKE(contract_again, backend);                                                                  \
  TEST_CASE_TEMPLATE_INVOKE(contract_frees_itself, backend);                                                           \
  TEST_CASE_TEMPLATE_INVOKE(contract_fifo, backend);                                                                   \
  TEST_CASE_TEMPLATE_INVOKE(contract_weights, backend);                                                                \
  TEST_CASE_TEMPLATE_INVOKE(contract_no_starvation, backend);                                                          \
  TEST_CASE_TEMPLATE_INVOKE(contract_place, backend);                                                                  \
  TEST_CASE_TEMPLATE_INVOKE(contract_close_lane, backend);                                                             \
  TEST_CASE_TEMPLATE_INVOKE(contract_timer_closed_lane, backend);                                                      \
  TEST_CASE_TEMPLATE_INVOKE(contract_many_lanes, backend);                                                             \
  TEST_CASE_TEMPLATE_INVOKE(contract_thread_count, backend);                                                           \
  TEST_CASE_TEMPLATE_INVOKE(contract_timers, backend);                                                                 \
  TEST_CASE_TEMPLATE_INVOKE(contract_cancel, backend);                                                                 \
  TEST_CASE_TEMPLATE_INVOKE(contract_cancel_many, backend);                                                            \
  TEST_CASE_TEMPLATE_INVOKE(contract_timeout, backend);                                                                \
  TEST_CASE_TEMPLATE_INVOKE(contract_latch, backend);                                                                  \
  TEST_CASE_TEMPLATE_INVOKE(contract_nested, backend);                                                                 \
  TEST_CASE_TEMPLATE_INVOKE(contract_nested_timeout, backend);                                                         \
  TEST_CASE_TEMPLATE_INVOKE(contract_stop_runs, backend);                                                              \
  TEST_CASE_TEMPLATE_INVOKE(contract_stop_inside, backend);                                                            \
  TEST_CASE_TEMPLATE_INVOKE(contract_stop_timers, backend);                                                            \
  TEST_CASE_TEMPLATE_INVOKE(contract_refuses, backend);                                                                \
  TEST_CASE_TEMPLATE_INVOKE(contract_destructor, backend);                                                             \
  TEST_CASE_TEMPLATE_INVOKE(contract_foreign_threads, backend);                                                        \
  TEST_CASE_TEMPLATE_INVOKE(contract_foreign_wait, backend);                                                           \
  TEST_CASE_TEMPLATE_INVOKE(contract_cancel_race, backend);                                                            \
  TEST_CASE_TEMPLATE_INVOKE(contract_no_allocation, backend)
