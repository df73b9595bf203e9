// What docs/simulator.md shows: the snippets are copied from here, line by line.
#include "sim/actor_state.hpp"
#include "sim/doctest.hpp"
#include "sim/history.hpp"
#include "sim/linearizability.hpp"
#include "sim/node.hpp"
#include <caf/all.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

// -- nodes and faults ---------------------------------------------------------

caf::behavior raft_server(caf::event_based_actor*, int number) {
  return {[=](int term) { return term + number; }};
}

void raft_client(caf::event_based_actor* self, const caf::actor& server) {
  self->request(server, 1min, 1).then([](int answer) { CHECK(answer == 2); });
}

struct disk {
  bool is_prepared = false;
  std::string decision;
};

caf::behavior coordinator(caf::event_based_actor*, disk* store) {
  return {[=](const std::string& decision) { store->decision = decision; }};
}

// -- state --------------------------------------------------------------------

struct account {
  int balance = 0;
  std::map<std::string, int> pending;
};
template <class Inspector>
auto inspect(Inspector& f, account& x) {
  return f(caf::meta::type_name("account"), x.balance, x.pending);
}

caf::behavior account_actor(caf::stateful_actor<account>* self) {
  expose_state(self);
  return {[=](int amount) { self->state.balance += amount; },
          [=](const std::string& who) { ++self->state.pending[who]; }};
}

// -- linearizability ----------------------------------------------------------

struct request {
  bool is_write = false;
  int value = 0;
};

struct register_model {
  int initial() const { return 0; }
  int apply(int& state, const request& input) const {
    if (input.is_write)
      state = input.value;
    return input.is_write ? 0 : state;
  }
};

} // namespace

TROUPE_SIM_TEST("actors live on nodes, and links take their time", 20) {
  auto alpha = sim.node("alpha"), beta = sim.node("beta");
  sim.link("alpha", "beta").latency(1ms, 5ms);
  sim.one_way_link("beta", "alpha").order(order_model::unordered);
  auto server = alpha.spawn(raft_server, 1);
  auto client = beta.spawn(raft_client, server);
  auto began = sim.now();
  sim.run_until_rest();
  CHECK(sim.now() - began >= 2ms);
}

TROUPE_SIM_TEST("what a node hosts finds what its disk holds", 20) {
  disk store;
  auto leader = sim.node("c").host(coordinator, &store);
  caf::anon_send(leader, std::string("commit"));
  sim.run_until_idle();
  CHECK(store.decision == "commit");
}

TROUPE_SIM_TEST("an account tells its state", 20) {
  auto one = sim.caf().spawn(account_actor);
  caf::anon_send(one, 5);
  caf::anon_send(one, std::string("rent"));
  sim.run_until_idle();
}

TROUPE_SIM_TEST("a register is linearizable", 20) {
  auto recorded = std::make_shared<history<request, int>>();
  auto replica =
      sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](const std::string&) { return 0; }}; });
  sim.caf().spawn([=](caf::event_based_actor* self) {
    auto id = recorded->invoke(2, request{});
    self->request(replica, caf::infinite, std::string("read")).then([=](int value) { recorded->respond(id, value); });
  });
  sim.run_until_idle();
  check_linearizable(register_model{}, *recorded);
}

TROUPE_SIM_TEST("packets come in from outside", 20) {
  int got = 0;
  auto gateway = sim.caf().spawn(
      [&got](caf::event_based_actor*) -> caf::behavior { return {[&got](const std::string&) { ++got; }}; });
  std::deque<std::string> radio{"one", "two"};
  auto read = [&radio]() -> std::optional<std::string> {
    if (radio.empty())
      return std::nullopt;
    auto packet = radio.front();
    radio.pop_front();
    return packet;
  };
  sim.outside("packet", read, [&](const std::string& packet) { caf::anon_send(gateway, packet); });
  sim.run_until_idle();
  CHECK(got == 2);
}
