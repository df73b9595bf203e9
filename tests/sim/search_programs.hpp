// Small actor programs whose outcomes can be counted by hand.
#pragma once
#include "sim/simulator.hpp"
#include <caf/all.hpp>
#include <functional>
#include <vector>

namespace troupe::testing {

using body = std::function<void(simulator&)>;

inline caf::behavior sink(caf::event_based_actor*) {
  return {[](int) {}};
}
/// Sends `value` to each of the receivers in turn as soon as it starts.
inline caf::behavior sender(caf::event_based_actor* self, std::vector<caf::actor> to, int value) {
  for (auto& each : to)
    self->send(each, value);
  return {[](int) {}};
}

/// Receivers that several senders of one message each send to.
inline body fan_in(int receivers, int senders) {
  return [=](simulator& sim) {
    std::vector<caf::actor> alive; // whom nobody refers to any more ends
    for (int r = 0; r < receivers; ++r) {
      auto to = alive.emplace_back(sim.caf().spawn(sink));
      for (int i = 0; i < senders; ++i)
        sim.caf().spawn(sender, std::vector<caf::actor>{to}, i);
    }
    sim.run_until_idle();
  };
}

/// Two senders that each send to A, B and A again.
inline void a_b_a(simulator& sim) {
  auto a = sim.caf().spawn(sink), b = sim.caf().spawn(sink);
  for (int i = 0; i < 2; ++i)
    sim.caf().spawn(sender, std::vector<caf::actor>{a, b, a}, i);
  sim.run_until_idle();
}

inline caf::behavior client(caf::event_based_actor* self, caf::actor server, int left) {
  self->send(server, self->id() * 10 + static_cast<unsigned>(left));
  return {[=](std::string) {
    if (left > 1)
      self->become(client(self, server, left - 1));
  }};
}
/// Clients that each send a request and wait for its answer before the next.
inline body requests(int clients, int each) {
  return [=](simulator& sim) {
    auto server = sim.caf().spawn(
        [](caf::event_based_actor*) -> caf::behavior { return {[](std::uint64_t) { return std::string{"answer"}; }}; });
    for (int i = 0; i < clients; ++i)
      sim.caf().spawn(client, server, each);
    sim.run_until_idle();
  };
}

/// Hands on what it gets to all of `to`, `hops` times.
inline caf::behavior relay(caf::event_based_actor* self, std::vector<caf::actor> to) {
  return {[=](int hops) {
    if (hops > 0)
      for (auto& each : to)
        self->send(each, hops - 1);
  }};
}

} // namespace troupe::testing
