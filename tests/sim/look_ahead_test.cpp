// Looking ahead at what will be picked, which may make a difference to nothing but time.
#include "sim/fifo_strategy.hpp"
#include "sim/forwarding_strategy.hpp"
#include "sim/random_strategy.hpp"
#include "sim/scenario.hpp"
#include "sim/simulator.hpp"
#include "tests/sim/fake_program.hpp"
#include <array>
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <memory>
#include <vector>

using namespace troupe;

namespace {

/// Does not say what it will pick.
struct secretive final : forwarding_strategy {
  explicit secretive(strategy& inner) : forwarding_strategy(inner) {}
  bool foresees(std::size_t, std::span<std::size_t>) const noexcept override { return false; }
};

/// Says that it will pick what it will not.
struct misleading final : forwarding_strategy {
  explicit misleading(strategy& inner) : forwarding_strategy(inner) {}
  bool foresees(std::size_t count, std::span<std::size_t> next) const noexcept override {
    for (std::size_t i = 0; i < next.size(); ++i)
      next[i] = (count - 1) * i / next.size();
    return true;
  }
};

/// Many actors that send to each other, ask the test's `choose` for whom, end, and start others in their place.
caf::behavior member(caf::event_based_actor* self, std::shared_ptr<std::vector<caf::actor>> all, simulator* sim) {
  return {[=](int left) {
    const auto other = sim->choose(all->size());
    if (left == 0)
      return;
    if (left % 5 == 0) {
      (*all)[other] = sim->caf().spawn(member, all, sim);
      self->quit();
    }
    self->send((*all)[other], left - 1);
  }};
}

run_result run(strategy& order, order_model model) {
  simulation_options options;
  options.model = model;
  return run_scenario(
      [](simulator& sim) {
        auto all = std::make_shared<std::vector<caf::actor>>();
        for (int i = 0; i < 1'500; ++i)
          all->push_back(sim.caf().spawn(member, all, &sim));
        for (auto& each : *all)
          caf::anon_send(each, 12);
        sim.run_until_idle();
        all->clear();
      },
      options, order);
}

} // namespace

TEST_CASE("a random strategy foresees its picks, and picks the same if it was asked") {
  random_strategy asked(3), other(3);
  const testing::listed_candidates among(std::vector<std::uint64_t>(50, 1));
  for (int i = 0; i < 20; ++i) {
    std::array<std::size_t, 3> next;
    REQUIRE(asked.foresees(among.size(), next));
    for (auto index : next) {
      CHECK(asked.pick(decision_kind::event, among) == index);
      CHECK(other.pick(decision_kind::event, among) == index);
    }
  }
  std::array<std::size_t, 1> next;
  CHECK_FALSE(fifo_strategy().foresees(50, next));
}

TEST_CASE("a run among hundreds of enabled events does not depend on what was foreseen") {
  for (auto model : {order_model::local, order_model::atomic}) {
    random_strategy order(7), hidden(7), distorted(7);
    secretive quiet(hidden);
    misleading wrong(distorted);
    const auto foreseen = run(order, model), unforeseen = run(quiet, model), misled = run(wrong, model);
    REQUIRE_FALSE(foreseen.is_failure());
    CHECK(foreseen.deliveries > 2'000);
    CHECK(foreseen.decisions == unforeseen.decisions);
    CHECK(foreseen.trace_hash == unforeseen.trace_hash);
    CHECK(foreseen.decisions == misled.decisions);
    CHECK(foreseen.trace_hash == misled.trace_hash);
  }
}
