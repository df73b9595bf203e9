// Nodes that crash and come back with what their disks hold: two-phase commit, right and wrong.
#include "sim/chart.hpp"
#include "sim/explore.hpp"
#include "sim/fault_point.hpp"
#include "sim/node.hpp"
#include "sim/shrink.hpp"
#include "sim/simulator.hpp"
#include "sim/strategies.hpp"
#include "tests/sim/search_programs.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <memory>
#include <set>

using namespace troupe;
using namespace troupe::testing;

namespace {

/// What survives a crash.
struct disk {
  bool is_prepared = false;
  std::string decision;
};
enum class two_phase { fixed, votes_before_writing, decides_before_writing };

caf::behavior participant(caf::event_based_actor* self, caf::actor coordinator, std::shared_ptr<disk> store, int number,
                          two_phase variant) {
  const auto decide = [=](const std::string& how) {
    check(store->decision.empty() || store->decision == how, "a participant decided twice");
    store->decision = how;
  };
  // Back from a crash: what has become of it?
  if (store->is_prepared && store->decision.empty())
    self->send(coordinator, std::string("what?"), number);
  return {[=](const std::string& what) {
    if (what != "prepare") {
      decide(what);
      return;
    }
    if (variant == two_phase::votes_before_writing) {
      self->send(coordinator, std::string("yes"), number);
      crash_point("participant.prepare");
      store->is_prepared = true;
    } else {
      store->is_prepared = true;
      self->send(coordinator, std::string("yes"), number);
    }
  }};
}

caf::behavior coordinator(caf::event_based_actor* self, std::shared_ptr<std::vector<caf::actor>> participants,
                          std::shared_ptr<disk> store, two_phase variant) {
  const auto tell = [=](const std::string& what) {
    for (auto& each : *participants)
      self->send(each, what);
  };
  const auto decide = [=](const std::string& how) {
    if (variant == two_phase::decides_before_writing) {
      tell(how);
      crash_point("coordinator.decide");
      store->decision = how;
    } else {
      store->decision = how;
      tell(how);
    }
  };
  if (!store->decision.empty())
    tell(store->decision); // back from a crash after the decision
  else if (store->is_prepared)
    decide("abort"); // back from a crash before it: nobody can have heard of another one
  auto votes = std::make_shared<std::set<int>>();
  return {[=](const std::string& what) {
            if (what == "begin") {
              store->is_prepared = true;
              tell("prepare");
            } else if (store->decision.empty()) {
              decide("abort");
            }
          },
          [=](const std::string& what, int number) {
            if (what == "what?") {
              if (!store->decision.empty())
                self->send((*participants)[static_cast<std::size_t>(number)], store->decision);
            } else if (store->decision.empty() && votes->insert(number).second &&
                       votes->size() == participants->size()) {
              decide("commit");
            }
          }};
}

body two_phase_commit(two_phase variant) {
  return [=](simulator& sim) {
    // Shared with the actors, since a run that has failed is taken down after this has returned.
    std::vector<std::shared_ptr<disk>> disks;
    for (int i = 0; i < 3; ++i)
      disks.push_back(std::make_shared<disk>());
    auto participants = std::make_shared<std::vector<caf::actor>>();
    auto leader = sim.node("c").host(coordinator, participants, disks[2], variant);
    for (std::size_t i = 0; i < 2; ++i)
      participants->push_back(
          sim.node("p" + std::to_string(i)).host(participant, leader, disks[i], static_cast<int>(i), variant));
    caf::anon_send(leader, std::string("begin"));
    sim.run_until_idle();
    for (auto& each : disks)
      for (auto& other : disks)
        sim.check(each->decision.empty() || other->decision.empty() || each->decision == other->decision,
                  "one committed, one aborted");
    if (variant == two_phase::votes_before_writing)
      for (std::size_t i = 0; i < 2; ++i)
        sim.check(disks[2]->decision != "commit" || disks[i]->is_prepared,
                  "committed what a participant has forgotten");
  };
}

} // namespace

TEST_CASE("two-phase commit survives the crash of any node, as long as disks are written before anybody is told" *
          doctest::test_suite("slow")) {
  simulation_options options;
  options.faults.node_crash = 1;
  SUBCASE("no crash of a node does harm") {
    auto run = make_runner(two_phase_commit(two_phase::fixed), options);
    auto found = explore(run, make_strategies("portfolio", run), {.seeds = 3'000});
    CHECK_MESSAGE(!found.failing_seed, found.failure.message << chart(found.failure));
  }
  SUBCASE("otherwise a crash at the wrong moment is found, and shrunk to little more than that") {
    for (auto variant : {two_phase::votes_before_writing, two_phase::decides_before_writing})
      for (auto* spec : {"random", "pct", "portfolio", "dpor"}) {
        INFO(spec);
        auto run = make_runner(two_phase_commit(variant), options);
        auto found = explore(run, make_strategies(spec, run), {.seeds = 5'000});
        REQUIRE(found.failing_seed.has_value());
        CHECK(found.failure.faults == 1);
        auto set_up = options;
        set_up.seed = std::string_view(spec) == "dpor" ? 0 : *found.failing_seed;
        auto shrunk = shrink(run, make_tape("p", "s", spec, set_up, found.failure));
        REQUIRE(shrunk.reproduced);
        CHECK(shrunk.run.faults == 1);
        CHECK(chart(shrunk.run).find("crash") != std::string::npos);
      }
  }
}
