// The two sides of each: a system on the given dispatcher, and CAF alone.
#include "bench/on_dispatcher.hpp"
#include "bench/actor_programs.hpp"
#include "sessions/system.hpp"
#include <caf/all.hpp>
#include <cstdlib>
#include <iostream>

namespace troupe::bench {
namespace {

void close_after(const system& sys, const session& home, std::uint64_t tasks) {
  auto report = sys.block_on(home.close());
  if (report && report->is_clean() && report->counters.ok == tasks)
    return;
  std::cerr << "bench: a session did not run its tasks: " << (report ? report->to_text() : report.describe())
            << std::endl;
  std::exit(2);
}

double on_troupe(dispatcher_maker make, std::uint64_t operations, const actor_program& program) {
  system sys(make());
  finish_line done;
  return static_cast<double>(operations) / seconds_of([&] {
           program(sys.caf(), done);
           done.wait();
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

} // namespace

double tracked_from_outside(dispatcher_maker make, std::uint64_t count) {
  system sys(make());
  auto home = sys.open_session();
  return static_cast<double>(count) / seconds_of([&] {
           for (std::uint64_t i = 0; i < count; ++i)
             home.spawn(little_work{&sys}).detach();
           close_after(sys, home, count);
         });
}

double tracked_from_inside(dispatcher_maker make, std::uint64_t count) {
  system sys(make());
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

std::vector<comparison> hosted_actors(dispatcher_maker make, const std::string& prefix, const std::string& group,
                                      std::optional<double> bar_goal, const workload& load) {
  const auto line = [&](const char* name, const char* unit, std::uint64_t operations, actor_program program) {
    return comparison{prefix + name,
                      group,
                      unit,
                      "CAF's scheduler",
                      [=] { return on_troupe(make, operations, program); },
                      [=] { return on_caf(operations, program); },
                      std::nullopt,
                      bar_goal};
  };
  const auto single = load.of(400'000), pairs = load.of(100'000), senders = load.of(50'000), births = load.of(60'000);
  return {
      line("ping-pong, 1 pair", "messages", single,
           [=](caf::actor_system& sys, finish_line& done) { ping_pong(sys, 1, single, done); }),
      line("ping-pong, 8 pairs", "messages", 8 * pairs,
           [=](caf::actor_system& sys, finish_line& done) { ping_pong(sys, 8, pairs, done); }),
      line("fan-in, 10 to 1", "messages", 10 * senders,
           [=](caf::actor_system& sys, finish_line& done) { fan_in(sys, 10, senders, done); }),
      line("actor creation", "actors", births,
           [=](caf::actor_system& sys, finish_line& done) { creation(sys, births, done); }),
  };
}

} // namespace troupe::bench
