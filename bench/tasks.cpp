// Tasks that a session tracks, against closures and actors that nobody tracks.
#include "bench/on_dispatcher.hpp"
#include "platform/asio_dispatcher.hpp"
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <caf/all.hpp>

namespace troupe::bench {
namespace {

std::unique_ptr<platform::dispatcher> on_asio() { return platform::make_asio_dispatcher({.thread_count = threads}); }

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
       [load] { return tracked_from_outside(on_asio, load.of(200'000)); },
       [load] { return asio_from_outside(load.of(200'000)); }, 1.0, 2.0},
      {"tracked tasks, spawned from inside", "tasks", "tasks", "asio::post of bare closures",
       [load] { return tracked_from_inside(on_asio, load.of(200'000)); },
       [load] { return asio_from_inside(load.of(200'000)); }, 1.0, 2.0},
      {"tracked tasks", "tasks", "tasks", "one CAF actor spawned per task",
       [load] { return tracked_from_outside(on_asio, load.of(200'000)); },
       [load] { return actor_per_task(load.of(30'000)); }, std::nullopt, 10.0},
  };
}

} // namespace troupe::bench
