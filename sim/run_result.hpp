// What one simulated run tells: its verdict, its tape, and its trace if asked for.
#pragma once
#include "platform/dispatcher.hpp"
#include "sim/decision.hpp"
#include "sim/simulation_options.hpp"
#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// How a run ended.
enum class verdict : std::uint8_t {
  ok,
  exception,      ///< An exception left the test, an actor's handler, or a task nobody handled it for.
  failed,         ///< The test called `simulator::fail`, or a check of its did.
  dangling,       ///< A session closed with work left.
  deadlock,       ///< Nothing can happen any more, and there is unsettled work: it never completes.
  step_limit,     ///< `max_steps` events happened.
  nondeterminism, ///< The same decisions led to another trace.
  invariant,      ///< Something that holds after each event did not.
  liveness,       ///< A monitor was hot at rest or for too long: what it waited for did not happen.
  foreign_thread, ///< Work came from a thread that the simulator does not control.
  crashed,        ///< The program ended its process. Only seen by another process, as the following two.
  hung,           ///< One event did not end.
  out_of_memory,  ///< The run took more memory than it may.
};
const char* to_string(verdict v) noexcept;

/// One event as the trace keeps it.
struct trace_entry {
  std::uint64_t identity = 0;
  std::uint64_t parent = 0; ///< Identity of the event that caused it; 0 for the test itself.
  event_kind kind = event_kind::step;
  std::string from;             ///< Who caused it: "client#5", "s2.t1 'place order'", "test".
  std::string to;               ///< Where it happened.
  std::string what;             ///< The message or the label.
  bool internal = false;        ///< Troupe's own bookkeeping (session supervisors, CAF's servers).
  platform::duration time = {}; ///< Virtual, since the run began.
  std::string state = {};       ///< Of the actor after the event, if it exposes it (sim/actor_state.hpp).
  bool observes = false;        ///< A monitor of the run was observed during it, or after it by the test.
};

/// Everything that is known of one run once it has ended.
struct run_result {
  verdict end = verdict::ok;
  /// What went wrong, in one or more lines; for a deadlock each stuck task, its spawn site and what it waits for.
  std::string message;
  std::uint64_t steps = 0;               ///< Events that happened.
  std::uint64_t deliveries = 0;          ///< Messages handled.
  std::uint64_t faults = 0;              ///< Faults that happened.
  std::uint64_t fault_opportunities = 0; ///< Decisions about faults.
  std::uint64_t trace_hash = 0;          ///< Of the sequence of events: equal if and only if the schedule was.
  std::uint64_t outcome_hash = 0;        ///< Of what each actor handled in which order: equal for equivalent schedules.
  order_model model = order_model::local; ///< The one that the schedule followed: its strategy may have chosen it.
  /// Identity of the event during which it failed; 0: it failed as a whole, or the test itself did.
  std::uint64_t failing_event = 0;
  std::vector<decision> decisions;
  std::vector<trace_entry> trace; ///< Filled if `simulation_options::trace`.
  bool is_failure() const noexcept { return end != verdict::ok; }
};

} // namespace troupe
