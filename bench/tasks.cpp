// Tasks that a session tracks, against closures and actors that nobody tracks.
#include "bench/paired.hpp"
#include "platform/asio_dispatcher.hpp"
#include "sessions/system.hpp"
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <caf/all.hpp>
#include <cstdlib>
#include <iostream>

namespace troupe::bench {
namespace {

constexpr std::size_t threads = 2;

/// Work of the size of a captured pointer that the compiler cannot leave out.
struct little_work {
  const void* something;
  void operator()() const noexcept { asm volatile("" : : "r"(something) : "memory"); }
};

/// A measurement that went wrong must not pass for a number.
[[noreturn]] void give_up(const std::string& why) {
  std::cerr << "bench: " << why << std::endl;
  std::exit(2);
}

double asio_from_outside(std::uint64_t count) {
  boost::asio::thread_pool pool(threads);
  return static_cast<double>(count) / seconds_of([&] {
           for (std::uint64_t i = 0; i < count; ++i)
             boost::asio::post(pool, little_work{&pool});
           pool.join();
         });
}

double asio_from_inside(std::uint64_t count) {
  boost::asio::thread_pool pool(threads);
  return static_cast<double>(count) / seconds_of([&] {
           boost::asio::post(pool, [&pool, count] {
             for (std::uint64_t i = 0; i < count; ++i)
               boost::asio::post(pool, little_work{&pool});
           });
           pool.join();
         });
}

/// Closes the session, which waits for all of its tasks, and makes sure that it has seen them.
void close_after(const system& sys, const session& home, std::uint64_t tasks) {
  auto report = sys.block_on(home.close());
  if (!report || !report->is_clean() || report->counters.ok != tasks)
    give_up("a session did not run its tasks: " + (report ? report->to_text() : report.describe()));
}

double tasks_from_outside(std::uint64_t count) {
  system sys(platform::make_asio_dispatcher({.thread_count = threads}));
  auto home = sys.open_session();
  return static_cast<double>(count) / seconds_of([&] {
           for (std::uint64_t i = 0; i < count; ++i)
             home.spawn(little_work{&sys}).detach();
           close_after(sys, home, count);
         });
}

double tasks_from_inside(std::uint64_t count) {
  system sys(platform::make_asio_dispatcher({.thread_count = threads}));
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

double actor_per_task(std::uint64_t count) {
  caf::actor_system_config config;
  config.set("scheduler.max-threads", threads);
  caf::actor_system sys(config);
  return static_cast<double>(count) / seconds_of([&] {
           for (std::uint64_t i = 0; i < count; ++i)
             sys.spawn([work = little_work{&sys}](caf::event_based_actor*) { work(); });
           sys.await_all_actors_done();
         });
}

} // namespace

std::vector<comparison> task_comparisons(const workload& load) {
  return {
      {"tracked tasks, spawned from outside", "tasks", "tasks", "asio::post of bare closures",
       [load] { return tasks_from_outside(load.of(200'000)); }, [load] { return asio_from_outside(load.of(200'000)); },
       1.0, 2.0},
      {"tracked tasks, spawned from inside", "tasks", "tasks", "asio::post of bare closures",
       [load] { return tasks_from_inside(load.of(200'000)); }, [load] { return asio_from_inside(load.of(200'000)); },
       1.0, 2.0},
      {"tracked tasks", "tasks", "tasks", "one CAF actor spawned per task",
       [load] { return tasks_from_outside(load.of(200'000)); }, [load] { return actor_per_task(load.of(30'000)); },
       std::nullopt, 10.0},
  };
}

} // namespace troupe::bench
