// What is told of programs that do not repeat themselves: the first event that differs, in both runs.
#include "sim/actor_state.hpp"
#include "sim/determinism.hpp"
#include "sim/explore.hpp"
#include "sim/explore_workers.hpp"
#include "sim/fault_point.hpp"
#include "sim/fifo_strategy.hpp"
#include "sim/random_strategy.hpp"
#include "sim/simulator.hpp"
#include "sim/specification.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <set>

using namespace troupe;

namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

/// What is said of a program that gets the number of its run, from 1.
std::string said_of(const std::function<void(simulator&, int)>& program) {
  int runs = 0;
  const auto run = make_runner([&](simulator& sim) { program(sim, ++runs); }, {});
  random_strategy order(7);
  const auto result = run_twice(run, 7, order);
  INFO(result.message);
  if (result.end == verdict::ok)
    return {};
  CHECK(result.end == verdict::nondeterminism);
  CHECK(holds(result.message, "the same decisions led to another run"));
  CHECK(holds(result.message, "\nprograms like this mostly depend on the real clock, "));
  return result.message;
}

/// The lines behind "first run:" and "second run:".
std::string side_of(const std::string& message, const std::string& which) {
  const auto at = message.find(which);
  REQUIRE(at != message.npos);
  return message.substr(at, message.find('\n', at) - at);
}
std::string first_of(const std::string& message) { return side_of(message, "first run:"); }
std::string second_of(const std::string& message) { return side_of(message, "second run:"); }

caf::actor listener(simulator& sim) {
  return sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior {
    return {[](int) {}, [](const std::string&) {}};
  });
}

} // namespace

TEST_CASE("an event that the second run has on top is named, and what led to it") {
  const auto message = said_of([](simulator& sim, int run) {
    const auto receiver = listener(sim);
    sim.caf().spawn([=](caf::event_based_actor* self) {
      for (int i = 0; i < 1 + run; ++i)
        self->send(receiver, i);
    });
    sim.run_until_idle();
  });
  INFO(message);
  CHECK(holds(message, "first difference in what event "));
  CHECK(holds(first_of(message), "no such event; next: "));
  CHECK(holds(second_of(message), "arrival actor#"));
  CHECK(holds(second_of(message), "(2)  (comes to be event "));
}

TEST_CASE("an event that is missing in the second run is named") {
  const auto message = said_of([](simulator& sim, int run) {
    sim.root().spawn([] {}, {.name = "always"}).detach();
    if (run == 1)
      sim.root().spawn([] {}, {.name = "once"}).detach();
    sim.run_until_idle();
  });
  INFO(message);
  CHECK(holds(message, "first difference before event 1:"));
  CHECK(holds(first_of(message), "'once'"));
  CHECK(holds(second_of(message), "no such event; next: "));
  CHECK(holds(second_of(message), "'always'"));
}

TEST_CASE("a message of another type is another run, even if all goes on as before") {
  const auto message = said_of([](simulator& sim, int run) {
    if (run == 1)
      caf::anon_send(listener(sim), 17);
    else
      caf::anon_send(listener(sim), std::string("seventeen"));
    sim.run_until_idle();
  });
  INFO(message);
  CHECK(holds(first_of(message), "(17)"));
  CHECK(holds(second_of(message), "(\"seventeen\")"));
}

TEST_CASE("a choice among another number of values is named, and what came before it") {
  const auto message = said_of([](simulator& sim, int run) {
    sim.caf().spawn([=](caf::event_based_actor*) { choose(static_cast<std::uint64_t>(2 + run)); });
    sim.run_until_idle();
  });
  INFO(message);
  CHECK(holds(message, "first difference in what event 1 led to ("));
  CHECK(holds(first_of(message), "a decision (random) among 3 values"));
  CHECK(holds(second_of(message), "a decision (random) among 4 values"));
}

TEST_CASE("decisions that the strategy of the first run was not asked for are compared, too") {
  // Faults are the engine's to decide, but on a tape.
  const auto program = [](bool repeats) {
    return [=, runs = std::make_shared<int>(0)](simulator& sim) {
      sim.caf().spawn([=](caf::event_based_actor*) {
        for (int i = ++*runs; i > (repeats ? *runs - 1 : 0); --i)
          static_cast<void>(fault_point("here"));
      });
      sim.run_until_idle();
    };
  };
  simulation_options options;
  options.faults.point = 5;
  options.faults.opportunities = 2;
  for (const bool repeats : {true, false}) {
    random_strategy order(7);
    const auto result = run_twice(make_runner(program(repeats), options), 7, order);
    INFO(result.message);
    CHECK((result.end == verdict::ok) == repeats);
    if (!repeats) {
      CHECK(holds(first_of(result.message), "no such decision"));
      CHECK(holds(second_of(result.message), "a decision (fault) among 2 values"));
    }
  }
}

TEST_CASE("where a value differs before the events do, the value is named") {
  const auto message = said_of([](simulator& sim, int run) {
    const auto receiver = listener(sim);
    sim.caf().spawn([=](caf::event_based_actor* self) -> caf::behavior {
      self->send(self, 40 + run);
      return {[=](int value) {
        if (value == 42)
          self->send(receiver, value);
      }};
    });
    sim.run_until_idle();
  });
  INFO(message);
  CHECK(holds(message, "first difference at event "));
  CHECK(holds(first_of(message), "(41)"));
  CHECK(holds(second_of(message), "(42)"));
}

TEST_CASE("another virtual time or state is named") {
  const auto by_time = said_of([](simulator& sim, int run) {
    const auto receiver = listener(sim);
    sim.caf().spawn([=](caf::event_based_actor* self) {
      self->delayed_send(receiver, std::chrono::milliseconds(run), 1);
      self->delayed_send(receiver, std::chrono::milliseconds(2 * run), 2);
    });
    sim.run_until_rest();
    if (run == 2)
      caf::anon_send(receiver, 3);
    sim.run_until_rest();
  });
  INFO(by_time);
  CHECK(holds(first_of(by_time), "1 ms "));
  CHECK(holds(second_of(by_time), "2 ms "));

  const auto by_state = said_of([](simulator& sim, int run) {
    const auto counter = sim.caf().spawn([=](caf::event_based_actor* self) -> caf::behavior {
      const auto count = std::make_shared<int>(0);
      expose_state(self, [=] { return "count " + std::to_string(*count); });
      return {[=](int) {
                *count = run;
                if (run == 2)
                  self->send(self, std::string());
              },
              [](const std::string&) {}};
    });
    caf::anon_send(counter, 1);
    sim.run_until_idle();
  });
  INFO(by_state);
  CHECK(holds(first_of(by_state), "[count 1]"));
  CHECK(holds(second_of(by_state), "[count 2]"));
}

TEST_CASE("values alone are no other run, and addresses never are what differs first") {
  const auto program = [](bool differs) {
    return [=](simulator& sim, int run) {
      const auto receiver = listener(sim);
      sim.caf().spawn([=](caf::event_based_actor* self) {
        self->send(receiver, "at 0x7ffe" + std::to_string(run) + "a0");
        self->send(receiver, run == 1 || !differs ? 1 : 2);
        if (differs && run == 2)
          self->send(receiver, 3);
      });
      sim.run_until_idle();
    };
  };
  CHECK(said_of(program(false)).empty());
  const auto message = said_of(program(true));
  INFO(message);
  CHECK(holds(first_of(message), "(1)"));
  CHECK(holds(second_of(message), "(2)"));
}

TEST_CASE("checking determinism sees messages of another type") {
  int runs = 0;
  const auto run = make_runner(
      [&](simulator& sim) {
        if (++runs % 2 == 0)
          caf::anon_send(listener(sim), 17);
        else
          caf::anon_send(listener(sim), std::string("seventeen"));
        sim.run_until_idle();
      },
      {});
  const strategy_factory in_order{[](std::uint64_t) { return std::make_unique<fifo_strategy>(); }};
  schedule_record record = run_schedule(run, in_order, {.checks_determinism = true}, 0);
  CHECK(record.end == verdict::nondeterminism);
}

TEST_CASE("a run that depends on the runs before it is found out by having them before it again" *
          doctest::skip(most_jobs() == 1)) {
  std::set<std::uint64_t> seeds_seen;
  const runner run = [&](std::uint64_t seed, strategy& order, bool trace) {
    const auto program = [&](simulator& sim) {
      seeds_seen.insert(seed);
      const auto receiver = listener(sim);
      for (std::size_t i = 0; i < 1 + seeds_seen.size() / 4; ++i)
        caf::anon_send(receiver, static_cast<int>(i));
      sim.run_until_idle();
      sim.check(seed != 14, "the failure");
    };
    return run_scenario(program, {.seed = seed, .trace = trace}, order);
  };
  const strategy_factory at_random{[](std::uint64_t seed) { return std::make_unique<random_strategy>(seed); }};
  const auto found = explore(run, at_random, {.seeds = 100, .jobs = 2});
  CHECK(found.failing_seed == 14);
  CHECK(found.failure.end == verdict::nondeterminism);
  const auto& message = found.failure.message;
  INFO(message);
  CHECK(holds(message, "seed 14 led to another run than at first"));
  CHECK(holds(message, "\nafter 7 other runs in the same process it is another one\nfirst difference "));
  CHECK(holds(first_of(message), "no such event"));
}
