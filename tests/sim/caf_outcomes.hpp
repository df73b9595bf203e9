// Programs that get no more than an actor system, and what they write down over all their schedules.
#pragma once
#include "sim/explore.hpp"
#include "sim/simulator.hpp"
#include "sim/strategies.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <set>
#include <string>

namespace troupe::testing {

using get_atom = caf::atom_constant<caf::atom("get")>;
using put_atom = caf::atom_constant<caf::atom("put")>;
using go_atom = caf::atom_constant<caf::atom("go")>;
using done_atom = caf::atom_constant<caf::atom("done")>;
using outcomes = std::set<std::string>;

/// What a program that gets no more than an actor system writes down, over all its schedules.
template <class Program>
outcomes outcomes_of(Program program, const char* search = "dfs") {
  outcomes seen;
  std::string log, kept;
  const auto body = [&](simulator& sim) {
    log.clear();
    program(sim.caf(), log);
    sim.run_for(std::chrono::hours(1));
    kept = log;
  };
  const auto inner = make_runner(body, {});
  const runner run = [&](std::uint64_t seed, strategy& order, bool trace) {
    auto result = inner(seed, order, trace);
    CHECK_MESSAGE(!result.is_failure(), result.message);
    seen.insert(kept);
    return result;
  };
  const auto found = explore(run, make_strategies(search, run), {.seeds = 300'000});
  CHECK(found.is_proven);
  return seen;
}

template <class Program>
run_result one_run(Program program, std::uint64_t seed = 0) {
  return simulator::once(seed, [&](simulator& sim) { program(sim.caf()); });
}

struct cell_state {
  cell_state() = default;
  int value = 0;
  static inline const char* name = "cell";
};

inline caf::behavior cell(caf::stateful_actor<cell_state>* self) {
  return {[self](put_atom, int value) { self->state.value = value; }, [self](get_atom) { return self->state.value; }};
}

} // namespace troupe::testing
