// Protocols whose mistakes show in a few orders of messages only. Each one is a file that adds its scenarios to a set.
#pragma once
#include "sim/scenario.hpp"
#include <functional>
#include <string>

namespace protocols {

/// Each protocol has a published mistake. The two variants differ by it, and by nothing else.
enum class variant { buggy, fixed };

/// Adds the scenarios NAME-buggy and NAME-fixed.
inline void add_variants(troupe::scenario_set& scenarios, const std::string& name, const std::string& mistake,
                         void (*body)(troupe::simulator&, variant), troupe::simulation_options options = {}) {
  scenarios.add({name + "-buggy", mistake, [body](troupe::simulator& sim) { body(sim, variant::buggy); }, options});
  scenarios.add({name + "-fixed", "the same without the mistake",
                 [body](troupe::simulator& sim) { body(sim, variant::fixed); }, options});
}

void add_bounded_async(troupe::scenario_set& scenarios);
void add_bounded_buffer(troupe::scenario_set& scenarios);
void add_chang_roberts(troupe::scenario_set& scenarios);
void add_coffee_machine(troupe::scenario_set& scenarios);
void add_concurrent_dictionary(troupe::scenario_set& scenarios);
void add_dao(troupe::scenario_set& scenarios);
void add_failure_detector(troupe::scenario_set& scenarios);
void add_lost_wakeup(troupe::scenario_set& scenarios);
void add_multi_paxos(troupe::scenario_set& scenarios);
void add_raft(troupe::scenario_set& scenarios);
void add_replicating_storage(troupe::scenario_set& scenarios);
void add_sleeping_barber(troupe::scenario_set& scenarios);
void add_sliding_window(troupe::scenario_set& scenarios);
void add_two_phase_commit(troupe::scenario_set& scenarios);

/// Everything above.
void add_all(troupe::scenario_set& scenarios);

} // namespace protocols
