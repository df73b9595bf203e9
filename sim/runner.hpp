// What searching, shrinking and replaying need of a program: that it can be run again.
#pragma once
#include "sim/fifo_strategy.hpp"
#include "sim/run_result.hpp"
#include "sim/scenario.hpp"
#include "sim/strategy_in_model.hpp"
#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

namespace troupe {

/// Runs a program once, from scratch, under `seed`, its order decided by `order`; keeps the trace if asked. The same
/// seed and the same picks must lead to the same result.
using runner = std::function<run_result(std::uint64_t seed, strategy& order, bool trace)>;

/// Makes the strategies of one exploration, a schedule at a time.
struct strategy_factory {
  /// The strategy of schedule `seed`. Null if an exhaustive search has none left.
  std::function<std::unique_ptr<strategy>(std::uint64_t seed)> make;
  /// Schedules with the same remainder by this number build upon one another, so that they have to be run in order and
  /// by one process; 0: none do.
  std::uint64_t lanes = 0;
  /// Whether the schedules of a lane do not build upon one another after all; empty: all do.
  std::function<bool(std::uint64_t lane)> is_free = {};
  /// A search that runs every schedule once, from 0 on, until there are no more. What the program makes of its seed
  /// must stay the same meanwhile.
  bool is_exhaustive = false;
  /// For exhaustive searches: the share that has been covered, as far as is known.
  std::function<double()> covered = {};
  /// For exhaustive searches: whether a schedule did not repeat what it should have, or might have met faults that the
  /// search does not try in all orders, so that nothing is proven.
  std::function<bool()> proves_nothing = {};

  std::unique_ptr<strategy> operator()(std::uint64_t seed) const { return make(seed); }
  /// The seed that the program is run under in schedule `seed`.
  std::uint64_t program_seed(std::uint64_t seed) const noexcept { return is_exhaustive ? 0 : seed; }
};

/// Runs `body` by `run_scenario` with these options, but for `seed` and `trace`. If there are budgets for faults, it is
/// run once more beforehand in each order model, in fifo order, to learn how often something could go wrong.
inline runner make_runner(std::function<void(simulator&)> body, simulation_options options) {
  auto known = std::make_shared<std::map<order_model, std::uint64_t>>(); // opportunities, by order model
  return [body = std::move(body), options, known](std::uint64_t seed, strategy& order, bool trace) {
    auto set_up = options;
    if (options.faults.total() != 0 && options.faults.opportunities == 0 && !order.decides_faults()) {
      const auto model = order.wanted_model().value_or(options.model);
      auto& opportunities = (*known)[model];
      if (opportunities == 0) {
        fifo_strategy fifo; // no faults, but as many occasions for them
        strategy_in_model in_order{fifo, model};
        opportunities = std::max<std::uint64_t>(run_scenario(body, set_up, in_order).fault_opportunities, 1);
      }
      set_up.faults.opportunities = opportunities;
    }
    set_up.seed = seed;
    set_up.trace = trace;
    return run_scenario(body, set_up, order);
  };
}

} // namespace troupe
