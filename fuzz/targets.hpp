// The fuzz targets of Troupe itself, as scenarios.
#pragma once
#include "sim/scenario.hpp"

namespace troupe::fuzz_targets {

/// Adds `basic`, `sessions` and `priorities`: programs whose checks hold in every order of events.
void add_scenarios(scenario_set& scenarios);

} // namespace troupe::fuzz_targets
