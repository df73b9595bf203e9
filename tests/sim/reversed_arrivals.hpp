// A program with a bug of any depth, and how often a strategy finds it.
#pragma once
#include "sim/simulator.hpp"
#include "sim/strategies.hpp"
#include <algorithm>
#include <caf/all.hpp>
#include <memory>
#include <string>
#include <vector>

namespace troupe::testing {

/// `k` participants send one message each to one receiver, the i-th after 3 * i messages to itself, amid the noise of
/// five others; the run fails if they arrive in exactly the reverse order. A bug of depth `k`. A random walk over
/// deliveries that are one event each finds it at a rate of .11 for k = 2, .0035 for k = 3, and below .0002 for k = 4.
inline runner reversed_arrivals(int k, order_model model = order_model::local) {
  auto body = [k](simulator& sim) {
    auto seen = std::make_shared<std::vector<int>>();
    auto receiver = sim.caf().spawn([&sim, seen, k](caf::event_based_actor*) -> caf::behavior {
      return {[&sim, seen, k](int who) {
        seen->push_back(who);
        if (static_cast<int>(seen->size()) == k && std::is_sorted(seen->rbegin(), seen->rend()))
          sim.fail("reversed");
      }};
    });
    for (int i = 0; i < k; ++i)
      sim.caf().spawn([receiver, i](caf::event_based_actor* self) -> caf::behavior {
        const auto go_on = [=](int left) {
          if (left > 0)
            self->send(self, left - 1);
          else
            self->send(receiver, i);
        };
        go_on(3 * i);
        return {go_on};
      });
    auto elsewhere = sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; });
    for (int i = 0; i < 5; ++i)
      sim.caf().spawn([elsewhere](caf::event_based_actor* self) {
        for (int n = 0; n < 3; ++n)
          self->send(elsewhere, n);
      });
    sim.run_until_idle();
  };
  simulation_options options;
  options.model = model;
  return make_runner(body, options);
}

/// The share of the seeds below `seeds` under which the strategy called `spec` makes `run` fail.
inline double hit_rate(const std::string& spec, const runner& run, std::uint64_t seeds) {
  auto strategies = make_strategies(spec, run);
  std::uint64_t hits = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed)
    hits += run(seed, *strategies(seed), false).end == verdict::failed;
  return static_cast<double>(hits) / static_cast<double>(seeds);
}

} // namespace troupe::testing
