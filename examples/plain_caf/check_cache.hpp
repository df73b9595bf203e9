// What must hold for the cache, whatever the order of messages: once all is quiet, it knows what the store knows.
#pragma once
#include "actors/ask.hpp"
#include "examples/plain_caf/cache.hpp"
#include "sim/simulator.hpp"
#include <chrono>

namespace plain_caf {

inline troupe::async<int> value_of(caf::actor of) {
  const auto value = co_await troupe::ask<int>(of, std::chrono::seconds{1}, get_atom::value);
  co_return value ? *value : -1;
}

/// Runs the program in the simulator: one reads through the cache while another writes to the store.
inline void read_while_writing(troupe::simulator& sim, variant which) {
  auto stored = sim.caf().spawn(store);
  auto cached = sim.caf().spawn(cache, stored, which);
  caf::anon_send(cached, get_atom::value);
  write(stored, cached, 2);
  sim.run_until_idle();
  const auto seen = sim.block_on(sim.root().spawn([cached] { return value_of(cached); }, {.name = "reader"}));
  sim.check(seen && *seen == 2, "the cache answers with a value that the store has replaced");
}

} // namespace plain_caf
