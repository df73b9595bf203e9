// What is told of a failure: the causal slice and the racing pair, on small programs whose answers are known.
#include "sim/causality.hpp"
#include "sim/chart.hpp"
#include "sim/explanation.hpp"
#include "sim/order_strategy.hpp"
#include "sim/random_strategy.hpp"
#include "sim/shown_events.hpp"
#include "tests/sim/programs/lost_update.hpp"
#include <doctest/doctest.h>
#include <set>

using namespace troupe;
using troupe::testing::lose_an_update;
using troupe::testing::read_atom;
using troupe::testing::reserve_atom;

namespace {

using body = std::function<void(simulator&)>;

bool is_at(const trace_entry& entry, const std::string& end) { return entry.to.ends_with(end); }

/// The first run that fails under a random walk, recorded.
recorded_run failing_run(const runner& run, std::uint64_t& seed) {
  for (seed = 0; seed < 2'000; ++seed) {
    random_strategy order(seed);
    if (auto recorded = run_recorded(run, seed, order, true); recorded.result.is_failure())
      return recorded;
  }
  FAIL("no seed fails");
  return {};
}

explanation explained(const body& program, simulation_options options = {}) {
  const auto run = make_runner(program, options);
  std::uint64_t seed = 0;
  auto recorded = failing_run(run, seed);
  return explain(run, seed, std::move(recorded));
}

/// The two events of the racing pair in a run, in order.
std::vector<trace_entry> pair_of(const told_run& run) {
  std::vector<trace_entry> pair;
  for (std::size_t i = 0; i < run.marks.size(); ++i)
    if (run.marks[i].is_racing)
      pair.push_back(run.result.trace[i]);
  return pair;
}

} // namespace

TEST_CASE("the racing pair of a lost update is the second read and the first write") {
  for (auto model : {order_model::local, order_model::atomic}) {
    INFO(to_string(model));
    std::string cell;
    std::set<std::string> others;
    const auto told = explained([&](simulator& sim) { lose_an_update(sim, cell, others); }, {.model = model});
    INFO(chart(told));
    REQUIRE(told.is_race);
    const auto before = pair_of(told.run), after = pair_of(told.passing);
    REQUIRE(before.size() == 2);
    REQUIRE(after.size() == 2);
    std::string read, write;
    for (const auto& entry : told.run.result.trace)
      if (is_at(entry, cell) && entry.kind == event_kind::handle)
        (read.empty() ? read : write) = entry.what;
    CHECK(is_at(before[0], cell));
    CHECK(is_at(before[1], cell));
    CHECK(before[0].what == read);
    CHECK(before[1].what != read);
    CHECK(before[0].from != before[1].from);
    // The passing run is that very run with the two swapped.
    CHECK(told.passing.result.end == verdict::ok);
    CHECK(after[0].identity == before[1].identity);
    CHECK(after[1].identity == before[0].identity);
    CHECK(told.race.find("racing pair: ") == 0);
  }
}

TEST_CASE("what no chain of messages connects with the failure is left out") {
  std::string cell;
  std::set<std::string> others;
  const auto told = explained([&](simulator& sim) { lose_an_update(sim, cell, others); });
  const auto text = chart(told);
  INFO(text);
  std::size_t of_others = 0;
  for (std::size_t i = 0; i < told.run.marks.size(); ++i) {
    const auto& entry = told.run.result.trace[i];
    if (is_at(entry, cell) && entry.kind == event_kind::handle)
      CHECK_FALSE(told.run.marks[i].is_left_out);
    for (const auto& other : others)
      if (is_at(entry, other)) {
        CHECK(told.run.marks[i].is_left_out);
        of_others += entry.kind == event_kind::arrival || entry.internal ? 0 : 1;
      }
  }
  CHECK(of_others > 0);
  CHECK(told.left_out >= of_others);
  CHECK(text.find("not shown: " + std::to_string(told.left_out) + " event") != text.npos);
  // The event during which it failed is the last write.
  REQUIRE(told.run.marks.size() > 1);
  CHECK(told.run.marks.back().is_failing);
}

TEST_CASE("where two swaps would be needed, no single pair is claimed") {
  // It passes only if both receivers hear the second sender first.
  const auto told = explained([](simulator& sim) {
    auto wrong = std::make_shared<int>(0);
    std::vector<caf::actor> receivers;
    auto judge = sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior {
      return {[heard = std::make_shared<int>(0), bad = std::make_shared<int>(0)](bool is_bad) {
        *bad += is_bad ? 1 : 0;
        if (++*heard == 2 && *bad > 0)
          fail("out of order");
      }};
    });
    for (int i = 0; i < 2; ++i)
      receivers.push_back(sim.caf().spawn([judge](caf::event_based_actor* self) -> caf::behavior {
        return {[self, judge, first = std::make_shared<int>(0)](int sender) {
          if (*first == 0)
            self->send(judge, (*first = sender) == 1);
        }};
      }));
    for (int sender = 1; sender <= 2; ++sender)
      sim.caf().spawn([receivers, sender](caf::event_based_actor* self) {
        for (const auto& receiver : receivers)
          self->send(receiver, sender);
      });
    sim.run_until_idle();
  });
  // Take a run in which both are wrong: the default order.
  INFO(chart(told));
  if (!told.is_race)
    CHECK(told.race.find("no racing pair: no single swap of two deliveries makes it pass (") == 0);
}

TEST_CASE("a run that fails in every order has no racing pair, and says so") {
  const auto told = explained([](simulator& sim) {
    auto receiver = sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior {
      return {[count = std::make_shared<int>(0)](int) {
        if (++*count == 2)
          fail("two are too many");
      }};
    });
    for (int i = 0; i < 2; ++i)
      sim.caf().spawn([receiver, i](caf::event_based_actor* self) { self->send(receiver, i); });
    sim.run_until_idle();
  });
  CHECK_FALSE(told.is_race);
  CHECK(told.race == "no racing pair: no single swap of two deliveries makes it pass (1 were run)");
  CHECK(chart(told).find("\n" + told.race + "\n") != std::string::npos);
}

TEST_CASE("where nothing could have come in another order, that is said") {
  const auto told = explained([](simulator& sim) {
    auto receiver = sim.caf().spawn(
        [](caf::event_based_actor*) -> caf::behavior { return {[](int) { fail("no message is welcome"); }}; });
    caf::anon_send(receiver, 1);
    sim.run_until_idle();
  });
  CHECK_FALSE(told.is_race);
  CHECK(told.race == "no racing pair: no two deliveries could have come in the other order");
}

TEST_CASE("a run that fails as a whole is shown as a whole, with its racing pair") {
  // Whoever asks before the permission is there is never answered.
  const auto told = explained([](simulator& sim) {
    auto guard = sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior {
      auto is_open = std::make_shared<bool>(false);
      return {
          [is_open](reserve_atom) { *is_open = true; },
          [is_open](read_atom, const caf::actor& who) {
            if (*is_open)
              caf::anon_send(who, 1);
          },
      };
    });
    sim.caf().spawn([guard](caf::event_based_actor* self) { self->send(guard, reserve_atom{}); });
    auto answered = std::make_shared<bool>(false);
    sim.caf().spawn([guard, answered](caf::event_based_actor* self) -> caf::behavior {
      self->send(guard, read_atom{}, caf::actor(self));
      return {[answered](int) { *answered = true; }};
    });
    sim.run_until_idle();
    sim.check(*answered, "nobody answered");
  });
  INFO(chart(told));
  CHECK(told.left_out == 0);
  CHECK(told.is_race);
  for (const auto& mark : told.run.marks)
    CHECK_FALSE(mark.is_failing);
}

TEST_CASE("steps of tasks that share memory can be the racing pair") {
  const auto told = explained([](simulator& sim) {
    auto is_set = std::make_shared<bool>(false);
    sim.root().spawn([is_set] { *is_set = true; }, {.name = "setter"}).detach();
    sim.root()
        .spawn(
            [is_set] {
              if (!*is_set)
                fail("read too early");
            },
            {.name = "reader"})
        .detach();
    sim.run_until_idle();
  });
  INFO(chart(told));
  REQUIRE(told.is_race);
  CHECK(pair_of(told.run).size() == 1);
  CHECK(pair_of(told.passing).size() == 2);
  CHECK(told.race.find("which had not come yet") != told.race.npos);
}

TEST_CASE("what a delivery should have waited for may not have been sent when the run fails") {
  const auto told = explained([](simulator& sim) {
    auto receiver = sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior {
      auto is_set_up = std::make_shared<bool>(false);
      return {
          [is_set_up](reserve_atom) { *is_set_up = true; },
          [is_set_up](read_atom) {
            if (!*is_set_up)
              fail("not set up");
          },
      };
    });
    sim.caf().spawn([receiver](caf::event_based_actor* self) { self->send(receiver, read_atom{}); });
    sim.caf().spawn([receiver](caf::event_based_actor* self) -> caf::behavior {
      self->send(self, 3);
      return {[self, receiver](int left) {
        if (left > 0)
          self->send(self, left - 1);
        else
          self->send(receiver, reserve_atom{});
      }};
    });
    sim.run_until_idle();
  });
  INFO(chart(told));
  REQUIRE(told.is_race);
  CHECK(pair_of(told.run).size() == 1);
  const auto pair = pair_of(told.passing);
  REQUIRE(pair.size() == 2);
  CHECK(pair[1].identity == pair_of(told.run)[0].identity);
}

TEST_CASE("a recorded order is repeated exactly, in every model, values included") {
  const body program = [](simulator& sim) {
    testing::sell_twice(sim, [] {});
    sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
      for (std::uint64_t i = choose(4); i > 0; --i)
        self->send(self, static_cast<int>(choose(3)));
      return {[](int) {}};
    });
    sim.run_until_idle();
  };
  for (auto model : {order_model::local, order_model::atomic}) {
    const auto run = make_runner(program, {.randomize_delays = true, .model = model});
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      random_strategy order(seed);
      const auto first = run_recorded(run, seed, order, false);
      CHECK(first.record.events.size() == first.result.steps);
      order_strategy again(first.record);
      const auto second = run(seed, again, false);
      CHECK(second.trace_hash == first.result.trace_hash);
      CHECK(second.decisions == first.result.decisions);
      CHECK(again.unknown() == 0);
      CHECK(again.missing().empty());
    }
  }
}

TEST_CASE("happens-before follows messages, places, and whoever waited") {
  event_record record;
  auto add = [&record](std::uint64_t identity, event_kind kind, std::uint64_t place, std::uint64_t parent,
                       std::uint64_t after = 0) {
    candidate what{identity, kind, place, place, parent};
    what.after = after;
    record.events.push_back({what, record.events.size()});
  };
  add(1, event_kind::start, 100, 0);     // 0
  add(2, event_kind::start, 200, 0);     // 1
  add(3, event_kind::arrival, 200, 1);   // 2
  add(3, event_kind::handle, 200, 1);    // 3
  add(4, event_kind::start, 300, 0);     // 4
  add(5, event_kind::handle, 300, 3);    // 5
  add(6, event_kind::handle, 400, 0, 5); // 6: the test had waited
  const causality order(record);
  CHECK(order.past_of({5}) == std::vector<bool>{true, true, true, true, true, true, false});
  CHECK(order.past_of({3}) == std::vector<bool>{true, true, true, true, false, false, false});
  CHECK(order.past_of({4}) == std::vector<bool>{false, false, false, false, true, false, false});
  CHECK(order.past_of({6}) == std::vector<bool>{true, true, true, true, true, false, true});
  CHECK(order.cause_of(5) == 3);
  CHECK(order.cause_of(0) == no_entry);
}
