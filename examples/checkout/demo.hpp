// The demonstration: the shop in the simulator, then over HTTP, then the proof that nothing was lost.
#pragma once
#include "sim/scenario.hpp"

namespace checkout {

struct demo_options {
  unsigned seeds = 2000;     ///< Explored for each variant.
  std::size_t clients = 300; ///< Connected at once.
};

/// Runs it, printing to standard output. `program` is how it was called, for the commands that are printed. @returns 0
/// if everything was as it should be, else 1.
int run_demo(const troupe::scenario_set& scenarios, const char* program, const demo_options& options);

} // namespace checkout
