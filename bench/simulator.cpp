// The simulator, deciding at random, against CAF's test_coordinator, which runs the same actors in fifo order.
#include "sim/simulator.hpp"
#include "bench/actor_programs.hpp"
#include "bench/paired.hpp"
#include "sim/random_strategy.hpp"
#include "sim/scenario.hpp"
#include <caf/scheduler/test_coordinator.hpp>
#include <cstdlib>
#include <iostream>
#include <limits>

namespace troupe::bench {
namespace {

constexpr int pairs = 10;

struct rates {
  double steps = 0;
  double messages = 0;
};

rates on_simulator(order_model model, std::uint64_t messages_per_pair) {
  simulation_options options;
  options.max_steps = std::numeric_limits<std::uint64_t>::max();
  options.model = model;
  random_strategy order(1);
  double seconds = 0;
  const auto result = run_scenario(
      [&](simulator& sim) {
        finish_line done;
        ping_pong(sim.caf(), pairs, messages_per_pair, done);
        seconds = seconds_of([&] { sim.run_until_idle(); });
      },
      options, order);
  if (result.is_failure() || result.deliveries < pairs * messages_per_pair) {
    std::cerr << "bench: the simulated run ended early: " << result.message << std::endl;
    std::exit(2);
  }
  return {static_cast<double>(result.steps) / seconds, static_cast<double>(result.deliveries) / seconds};
}

/// Steps per second while as many events are enabled: each actor has a message of its own under way.
double among_enabled(std::size_t enabled, std::uint64_t steps) {
  simulation_options options;
  options.max_steps = std::numeric_limits<std::uint64_t>::max();
  random_strategy order(1);
  double seconds = 0;
  const auto result = run_scenario(
      [&](simulator& sim) {
        const auto is_over = std::make_shared<bool>(false);
        for (std::size_t i = 0; i < enabled; ++i)
          sim.caf().spawn([is_over](caf::event_based_actor* self) -> caf::behavior {
            self->send(self, 1);
            return {[self, is_over](int what) {
              if (!*is_over)
                self->send(self, what);
            }};
          });
        for (std::size_t i = 0; i < 4 * enabled; ++i) // all have started
          sim.step();
        seconds = seconds_of([&] {
          for (std::uint64_t i = 0; i < steps; ++i)
            sim.step();
        });
        *is_over = true;
      },
      options, order);
  if (result.is_failure() || result.steps < 4 * enabled + steps) {
    std::cerr << "bench: the simulated run ended early: " << result.message << std::endl;
    std::exit(2);
  }
  return static_cast<double>(steps) / seconds;
}

/// Its steps are messages, but for the one in which an actor begins.
double on_test_coordinator(std::uint64_t messages_per_pair) {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("testing"));
  caf::actor_system sys(config);
  auto& coordinator = static_cast<caf::scheduler::test_coordinator&>(sys.scheduler());
  finish_line done;
  ping_pong(sys, pairs, messages_per_pair, done);
  std::size_t steps = 0;
  const auto seconds = seconds_of([&] { steps = coordinator.run(); });
  return static_cast<double>(steps) / seconds;
}

comparison simulated(std::string name, std::string unit, order_model model, double rates::*what, const workload& load,
                     std::optional<double> now, std::optional<double> goal) {
  const auto messages = load.of(10'000);
  return {std::move(name),
          "simulator",
          std::move(unit),
          "test_coordinator, fifo",
          [=] { return on_simulator(model, messages).*what; },
          [=] { return on_test_coordinator(messages); },
          now,
          goal};
}

} // namespace

// A message takes two steps in `local`, its arrival and its handling, and one in `atomic`. The bar is on the steps of
// the default model: what deciding and doing one thing costs. What a program sees of it is in the lines that count
// messages.
std::vector<comparison> simulator_comparisons(const workload& load) {
  return {
      simulated("simulator, local", "steps", order_model::local, &rates::steps, load, 0.8, 0.9),
      simulated("simulator, atomic", "steps", order_model::atomic, &rates::steps, load, {}, 0.9),
      simulated("simulator, local", "messages", order_model::local, &rates::messages, load, {}, {}),
      simulated("simulator, atomic", "messages", order_model::atomic, &rates::messages, load, {}, {}),
      {"simulator, 10,000 enabled events", "simulator", "steps", "10 enabled events",
       [=] { return among_enabled(10'000, load.of(200'000)); }, [=] { return among_enabled(10, load.of(200'000)); },
       0.5, 0.5},
  };
}

} // namespace troupe::bench
