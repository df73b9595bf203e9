// What searching, shrinking and replaying need of a program: that it can be run again.
#pragma once
#include "sim/run_result.hpp"
#include "sim/scenario.hpp"
#include <cstdint>
#include <functional>
#include <memory>

namespace troupe {

/// Runs a program once, from scratch, under `seed`, its order decided by `order`; keeps the trace if asked. The same
/// seed and the same picks must lead to the same result.
using runner = std::function<run_result(std::uint64_t seed, strategy& order, bool trace)>;

/// Makes the strategy for one run under `seed`.
using strategy_factory = std::function<std::unique_ptr<strategy>(std::uint64_t seed)>;

/// Runs `body` by `run_scenario` with these options, but for `seed` and `trace`.
inline runner make_runner(std::function<void(simulator&)> body, simulation_options options) {
  return [body = std::move(body), options](std::uint64_t seed, strategy& order, bool trace) {
    auto set_up = options;
    set_up.seed = seed;
    set_up.trace = trace;
    return run_scenario(body, set_up, order);
  };
}

} // namespace troupe
