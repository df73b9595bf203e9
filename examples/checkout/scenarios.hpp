// The handlers as scenarios for the simulator: no transport, no file, every order of events.
#pragma once
#include "sim/scenario.hpp"

namespace checkout {

/// Adds `checkout-buggy` and `checkout-fixed`.
void add_scenarios(troupe::scenario_set& scenarios);

} // namespace checkout
