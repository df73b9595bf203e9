// Troupe on GCD, against bare dispatch_async_f and against CAF's own scheduler.
#include "bench/actor_programs.hpp"
#include "bench/paired.hpp"
#include "platform/gcd_api.hpp"
#include "platform/gcd_dispatcher.hpp"
#include "sessions/system.hpp"
#include <array>
#include <caf/all.hpp>
#include <cstdlib>
#include <iostream>
#include <thread>

namespace troupe::bench {
namespace {

constexpr std::size_t threads = 2;

/// Work of the size of a captured pointer that the compiler cannot leave out.
struct little_work {
  const void* something;
  void operator()() const noexcept { asm volatile("" : : "r"(something) : "memory"); }
};

/// Counts without making the threads meet at one place: GCD itself does not say when a global queue is empty.
class arrivals {
public:
  void arrive() noexcept {
    thread_local std::atomic<std::uint64_t>* mine = nullptr;
    if (!mine)
      mine = &counts_[next_.fetch_add(1) % counts_.size()].value;
    mine->store(mine->load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  void await(std::uint64_t count) const noexcept {
    const auto wanted = awaited_ + count;
    while (sum() < wanted)
      std::this_thread::sleep_for(std::chrono::microseconds{50});
    awaited_ = wanted;
  }

private:
  struct alignas(64) place {
    std::atomic<std::uint64_t> value = 0;
  };
  std::uint64_t sum() const noexcept {
    std::uint64_t all = 0;
    for (const auto& each : counts_)
      all += each.value.load(std::memory_order_acquire);
    return all;
  }
  std::array<place, 1024> counts_;
  std::atomic<std::size_t> next_ = 0;
  mutable std::uint64_t awaited_ = 0;
};
arrivals bare;

void bare_work(void* context) {
  little_work{context}();
  bare.arrive();
}

double bare_from_outside(std::uint64_t count) {
  return static_cast<double>(count) / seconds_of([&] {
           const auto queue = platform::global_queue(priority::normal);
           for (std::uint64_t i = 0; i < count; ++i)
             dispatch_async_f(queue, &bare, bare_work);
           bare.await(count);
         });
}

double bare_from_inside(std::uint64_t count) {
  return static_cast<double>(count) / seconds_of([&] {
           dispatch_async_f(platform::global_queue(priority::normal), &count, [](void* context) {
             const auto queue = platform::global_queue(priority::normal);
             for (std::uint64_t i = 0, left = *static_cast<std::uint64_t*>(context); i < left; ++i)
               dispatch_async_f(queue, &bare, bare_work);
           });
           bare.await(count);
         });
}

/// Closes the session, which waits for all of its tasks, and makes sure that it has seen them.
void close_after(const system& sys, const session& home, std::uint64_t tasks) {
  auto report = sys.block_on(home.close());
  if (report && report->is_clean() && report->counters.ok == tasks)
    return;
  std::cerr << "bench: a session did not run its tasks: " << (report ? report->to_text() : report.describe())
            << std::endl;
  std::exit(2);
}

double tasks_from_outside(std::uint64_t count) {
  system sys(platform::make_gcd_dispatcher({.width = threads}));
  auto home = sys.open_session();
  return static_cast<double>(count) / seconds_of([&] {
           for (std::uint64_t i = 0; i < count; ++i)
             home.spawn(little_work{&sys}).detach();
           close_after(sys, home, count);
         });
}

double tasks_from_inside(std::uint64_t count) {
  system sys(platform::make_gcd_dispatcher({.width = threads}));
  auto home = sys.open_session();
  return static_cast<double>(count) / seconds_of([&] {
           auto producer = home.spawn([&sys, home, count] {
             for (std::uint64_t i = 0; i < count; ++i)
               home.spawn(little_work{&sys}).detach();
           });
           (void)sys.block_on(std::move(producer));
           close_after(sys, home, count + 1);
         });
}

double on_caf(std::uint64_t operations, const actor_program& program) {
  caf::actor_system_config config;
  config.set("scheduler.max-threads", threads);
  caf::actor_system sys(config);
  finish_line done;
  return static_cast<double>(operations) / seconds_of([&] {
           program(sys, done);
           done.wait();
         });
}

double on_gcd(std::uint64_t operations, const actor_program& program) {
  system sys(platform::make_gcd_dispatcher({.width = threads}));
  finish_line done;
  return static_cast<double>(operations) / seconds_of([&] {
           program(sys.caf(), done);
           done.wait();
         });
}

comparison hosted(std::string name, std::string unit, std::uint64_t operations, actor_program program) {
  return {"GCD: " + std::move(name),
          "gcd",
          std::move(unit),
          "CAF's scheduler",
          [=] { return on_gcd(operations, program); },
          [=] { return on_caf(operations, program); },
          std::nullopt,
          std::nullopt};
}

} // namespace

std::vector<comparison> gcd_comparisons(const workload& load) {
  const auto single = load.of(400'000), pairs = load.of(100'000), senders = load.of(50'000), births = load.of(60'000);
  return {
      {"GCD: tracked tasks, from outside", "gcd", "tasks", "bare dispatch_async_f",
       [load] { return tasks_from_outside(load.of(200'000)); }, [load] { return bare_from_outside(load.of(200'000)); },
       0.8, 0.8},
      {"GCD: tracked tasks, from inside", "gcd", "tasks", "bare dispatch_async_f",
       [load] { return tasks_from_inside(load.of(200'000)); }, [load] { return bare_from_inside(load.of(200'000)); },
       0.8, 0.8},
      hosted("ping-pong, 1 pair", "messages", single,
             [=](caf::actor_system& sys, finish_line& done) { ping_pong(sys, 1, single, done); }),
      hosted("ping-pong, 8 pairs", "messages", 8 * pairs,
             [=](caf::actor_system& sys, finish_line& done) { ping_pong(sys, 8, pairs, done); }),
      hosted("fan-in, 10 to 1", "messages", 10 * senders,
             [=](caf::actor_system& sys, finish_line& done) { fan_in(sys, 10, senders, done); }),
      hosted("actor creation", "actors", births,
             [=](caf::actor_system& sys, finish_line& done) { creation(sys, births, done); }),
  };
}

} // namespace troupe::bench
