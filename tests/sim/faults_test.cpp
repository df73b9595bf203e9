// Faults of messages, fault points, and budgets: what may go wrong, and how often.
#include "sim/fault_point.hpp"
#include "sim/fifo_strategy.hpp"
#include "sim/node.hpp"
#include "sim/scenario.hpp"
#include "sim/simulator.hpp"
#include "tests/sim/all_schedules.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <set>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

/// Two nodes, one of which sends 1 and 2 to the other.
std::string one_two(simulator& sim) {
  std::string seen;
  auto receiver = sim.node("beta").spawn(note, &seen);
  sim.node("alpha").spawn([=](caf::event_based_actor* self) {
    self->send(receiver, 1);
    self->send(receiver, 2);
  });
  sim.run_for(1min);
  return seen;
}

} // namespace

TEST_CASE("without a budget nothing changes, and the default order meets no fault whatever the budget") {
  fifo_strategy fifo;
  const auto plain = run_scenario([](simulator& sim) { one_two(sim); }, {}, fifo);
  simulation_options options;
  for (auto kind : all_fault_kinds)
    options.faults.of(kind) = 2;
  const auto may_fail = run_scenario([](simulator& sim) { one_two(sim); }, options, fifo);
  CHECK(plain.fault_opportunities == 0);
  CHECK(may_fail.fault_opportunities > 3);
  CHECK(may_fail.faults == 0);
  CHECK(may_fail.trace_hash == plain.trace_hash);
  CHECK(may_fail.outcome_hash == plain.outcome_hash);
}

TEST_CASE("messages between nodes are lost, come twice or come late, as often as the budget allows") {
  CHECK(all_texts(one_two, {}) == joined({"12"}));
  CHECK(all_texts(one_two, {.faults = {.drop = 1}}) == joined({"12", "1", "2"}));
  CHECK(all_texts(one_two, {.faults = {.drop = 2}}) == joined({"12", "1", "2", ""}));
  CHECK(all_texts(one_two, {.faults = {.duplicate = 1}}) == joined({"12", "112", "121", "122", "212"}));
  CHECK(all_texts(one_two, {.faults = {.delay = 1}}) == joined({"12"})); // a link keeps its order
  CHECK(all_texts(
            [](simulator& sim) {
              sim.links().order(order_model::unordered).latency(1ms);
              return one_two(sim);
            },
            {.faults = {.delay = 1}}) == joined({"12", "21"}));
}

TEST_CASE("a message is delayed by as much as the options say") {
  std::set<platform::duration> times;
  dpor_search search;
  while (auto order = search.next())
    run_scenario(
        [&](simulator& sim) {
          std::string seen;
          auto receiver = sim.node("beta").spawn(note, &seen);
          sim.node("alpha").spawn([=](caf::event_based_actor* self) { self->send(receiver, 1); });
          const auto begin = sim.now();
          CHECK(sim.run_until([&] { return !seen.empty(); }));
          times.insert(sim.now() - begin);
        },
        {.faults = {.delay = 1, .delayed_by = 7s}}, *order);
  CHECK(times == std::set<platform::duration>{0s, 7s});
}

TEST_CASE("a fault point fails within its budget in a simulated run, and nowhere else") {
  CHECK_FALSE(fault_point("store.write"));
  crash_point("store.write");
  const auto program = [](simulator& sim) {
    std::string seen;
    auto store = sim.caf().spawn([&](caf::event_based_actor*) -> caf::behavior {
      return {[&](int) { seen += fault_point("store.write") ? 'x' : 'w'; }};
    });
    for (int i : {1, 2})
      caf::anon_send(store, i);
    sim.run_until_idle();
    return seen;
  };
  CHECK(all_texts(program, {}) == joined({"ww"}));
  CHECK(all_texts(program, {.faults = {.point = 1}}) == joined({"ww", "xw", "wx"}));
  CHECK(all_texts(program, {.faults = {.point = 2}}) == joined({"ww", "xw", "wx", "xx"}));
}

TEST_CASE("faults that a run cannot meet are said, not passed over") {
  const auto plain = [](simulator& sim) { requests(1, 1)(sim); };
  auto lost = simulator::once(0, plain, {.faults = {.drop = 1}});
  CHECK(lost.end == verdict::failed);
  CHECK(lost.message.find("drop=1") != std::string::npos);
  CHECK(lost.message.find("--model") == std::string::npos);
  CHECK_FALSE(simulator::once(0, plain, {.model = order_model::network, .faults = {.drop = 1}}).is_failure());
  CHECK(simulator::once(0, plain, {.model = order_model::network, .faults = {.partition = 1}}).is_failure());
}

TEST_CASE("budgets are text that is read again, and text that is none is refused") {
  std::string error;
  auto read = parse_faults("crash=1,drop=20", error);
  REQUIRE(read.has_value());
  CHECK(read->crash == 1);
  CHECK(read->drop == 20);
  CHECK(to_text(*read) == "crash=1,drop=20");
  CHECK(to_text(fault_options{}) == "none");
  CHECK(parse_faults("none", error)->total() == 0);
  for (auto* wrong :
       {"", "crash", "crash=", "crash=x", "crash=-1", "crash=1,", "cash=1", "crash=99999999999", "crash=1;drop=2"}) {
    INFO(wrong);
    error.clear();
    CHECK_FALSE(parse_faults(wrong, error).has_value());
    CHECK_FALSE(error.empty());
  }
  for (auto* twice : {"crash=1,crash=2", "drop=1,crash=2,drop=1", "crash=1,down_for_ns=1,down_for_ns=2"}) {
    INFO(twice);
    CHECK_FALSE(parse_faults(twice, error).has_value());
    CHECK(error.find("is given more than once") != std::string::npos);
  }
}
