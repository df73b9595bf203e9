// How one simulated run is set up.
#pragma once
#include "platform/dispatcher.hpp"
#include "sim/fault_options.hpp"
#include <cstdint>

namespace troupe {

/// What can interleave. See docs/simulator.md.
enum class order_model : std::uint8_t {
  local,     ///< The sends of a handler enter the mailboxes one by one, interleaved with everybody else's: threads.
  atomic,    ///< The sends of a handler enter at once: a single-threaded host. A subset of `local`.
  network,   ///< Only what one actor sends to one other keeps its order: nodes. A superset of `local`.
  unordered, ///< Messages between actors arrive in any order. A superset of `network`.
};
const char* to_string(order_model model) noexcept;

/// How one run is set up.
struct simulation_options {
  std::uint64_t seed = 0;
  /// False: every decision about order is choice 0 (`fifo`), whatever the strategy.
  bool randomize_order = true;
  /// True: each timer takes 1, 1.25, 1.5 or 2 times its delay, by decision.
  bool randomize_delays = false;
  /// Events after which the run ends with `verdict::step_limit`.
  std::uint64_t max_steps = 100'000;
  /// False: such a run just ends there, for programs that never come to rest.
  bool fail_on_step_limit = true;
  /// Events for which a monitor may be hot; 0: any number, as long as it is cold when the run comes to rest. If it is
  /// set, a random walk takes the place of strategies such as `pct` after a fifth of as many events, and what came
  /// before does not count: else a scheduler that lets somebody wait for ever would be a failure of the program.
  std::uint64_t temperature_max = 0;
  /// Prints each event to standard error as it happens.
  bool log_operations = false;
  /// Keeps each event in `run_result::trace`. Slow: messages are turned into text.
  bool trace = false;
  order_model model = order_model::local;
  /// True: a session that closes as failed (a task threw) is a failure of the run.
  bool fail_on_failed_session = true;
  /// What may go wrong; by default nothing.
  fault_options faults = {};
};

} // namespace troupe
