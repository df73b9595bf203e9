// CAF actors on Troupe's host, against the same actors on CAF's own work-stealing scheduler.
#include "bench/actor_programs.hpp"
#include "bench/paired.hpp"
#include "platform/asio_dispatcher.hpp"
#include "sessions/system.hpp"
#include <caf/all.hpp>
#include <mutex>

namespace troupe::bench {
namespace {

constexpr std::size_t threads = 2;

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

double on_troupe(std::uint64_t operations, const actor_program& program) {
  system sys(platform::make_asio_dispatcher({.thread_count = threads}));
  finish_line done;
  return static_cast<double>(operations) / seconds_of([&] {
           program(sys.caf(), done);
           done.wait();
         });
}

comparison hosted(std::string name, std::string unit, std::uint64_t operations, actor_program program) {
  return {std::move(name),
          "actors",
          std::move(unit),
          "CAF's scheduler",
          [=] { return on_troupe(operations, program); },
          [=] { return on_caf(operations, program); },
          std::nullopt,
          1.2};
}

} // namespace

std::vector<comparison> actor_comparisons(const workload& load) {
  const auto single = load.of(400'000), pairs = load.of(100'000), senders = load.of(50'000), births = load.of(60'000);
  return {
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
