// Liveness: programs that go round in circles, and schedulers that must not be blamed on a program.
#include "sim/actor_state.hpp"
#include "sim/explore.hpp"
#include "sim/fifo_strategy.hpp"
#include "sim/lasso.hpp"
#include "sim/simulator.hpp"
#include "sim/strategies.hpp"
#include "sim/tape_strategy.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>

using namespace troupe;

namespace {

using namespace std::chrono_literals;

/// Hot until the letter has come.
struct delivery : monitor {
  void posted() { become_hot("the letter"); }
  void received() { become_cold(); }
};

/// Sends itself messages for ever, and counts them up to `period`.
caf::behavior spinner(caf::event_based_actor* self, int period, bool tells_state) {
  auto count = std::make_shared<int>(0);
  if (tells_state)
    expose_state(self, [count] { return *count; });
  self->send(self, 1);
  return {[=](int) {
    *count = (*count + 1) % period;
    self->send(self, 1);
  }};
}

caf::behavior receiver(caf::event_based_actor* self) {
  expose_state(self, [] { return "receiver"; });
  return {[](int) { observe<delivery>().received(); }};
}

run_result run(const std::function<void(simulator&)>& body, simulation_options options = {}) {
  fifo_strategy order;
  return run_scenario(body, options, order);
}

/// Always lets the newest event happen: somebody old may wait for ever. Of values it takes the first.
struct newest_first final : strategy {
  std::size_t pick(decision_kind kind, const candidates& among) override {
    return kind == decision_kind::event ? among.size() - 1 : 0;
  }
};

bool mentions(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

} // namespace

TEST_CASE(
    "a program that goes round in circles while something is awaited has failed at once, and the cycle is named") {
  auto result = run([](simulator& sim) {
    sim.caf().spawn(spinner, 3, true);
    observe<delivery>().posted();
    sim.run_until_idle();
  });
  CHECK(result.end == verdict::liveness);
  CHECK(result.steps < 150);
  CHECK(mentions(result.message, "awaited for ever: the letter\n"));
  CHECK(mentions(result.message, "lead back to the state from which they began"));
  CHECK(mentions(result.message, "\n  actor#"));
  CHECK(mentions(result.message, "(1)\n"));
}

TEST_CASE("a lasso is found again by a replay, with a trace and without") {
  auto body = [](simulator& sim) {
    for (int i : {2, 3})
      sim.caf().spawn(spinner, i, true);
    observe<delivery>().posted();
    sim.run_until_idle();
  };
  auto first = simulator::once(4, body);
  REQUIRE(first.end == verdict::liveness);
  for (bool trace : {false, true}) {
    tape_strategy replay(first.decisions);
    auto second = run_scenario(body, {.seed = 4, .trace = trace}, replay);
    CHECK(second.end == verdict::liveness);
    CHECK(second.message == first.message);
    CHECK(second.steps == first.steps);
  }
}

TEST_CASE("what does not tell its state, or never is in the same one again, is no lasso") {
  for (auto [period, tells] : {std::pair{3, false}, {1'000'000, true}}) {
    auto result = run(
        [period = period, tells = tells](simulator& sim) {
          sim.caf().spawn(spinner, period, tells);
          observe<delivery>().posted();
          sim.run_until_idle();
        },
        {.max_steps = 2'000});
    CHECK(result.end == verdict::step_limit);
  }
}

TEST_CASE("messages that say more and more are no lasso, though their receiver's state is always the same") {
  auto result = run(
      [](simulator& sim) {
        sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
          expose_state(self, [] { return 0; });
          self->send(self, 1);
          return {[=](int number) { self->send(self, number + 1); }};
        });
        observe<delivery>().posted();
        sim.run_until_idle();
      },
      {.max_steps = 2'000});
  CHECK(result.end == verdict::step_limit);
}

TEST_CASE("a bystander that does nothing meanwhile need not tell its state") {
  auto result = run([](simulator& sim) {
    auto silent = sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; });
    post(silent, 1);
    sim.caf().spawn(spinner, 3, true);
    observe<delivery>().posted();
    sim.run_until_idle();
  });
  CHECK(result.end == verdict::liveness);
}

TEST_CASE("a cycle in which somebody is never given its turn is the scheduler's fault, and no lasso") {
  auto body = [](simulator& sim) {
    auto waiting = sim.caf().spawn(receiver);
    sim.run_until_idle();
    post(waiting, 1);
    sim.caf().spawn(spinner, 3, true);
    observe<delivery>().posted();
    sim.run_until_idle();
  };
  newest_first unfair;
  CHECK(run_scenario(body, {.max_steps = 2'000}, unfair).end == verdict::step_limit);
}

TEST_CASE("a choice that always falls the same way is no lasso, one that takes all its values is") {
  auto body = [](bool matters) {
    return [=](simulator& sim) {
      sim.caf().spawn([=](caf::event_based_actor* self) -> caf::behavior {
        expose_state(self, [] { return 0; });
        self->send(self, 1);
        return {[=](int) {
          if (choose_bool() && matters)
            observe<delivery>().received();
          self->send(self, 1);
        }};
      });
      observe<delivery>().posted();
      sim.run_until_idle();
    };
  };
  newest_first always_zero;
  CHECK(run_scenario(body(true), {.max_steps = 2'000}, always_zero).end == verdict::step_limit);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CHECK(simulator::once(seed, body(false), {.max_steps = 2'000}).end == verdict::liveness);
    CHECK(simulator::once(seed, body(true), {.max_steps = 2'000}).end == verdict::step_limit);
  }
}

TEST_CASE("a retransmission by timer for ever is a lasso if the test lets time pass without an end") {
  auto body = [](void (*pass)(simulator&)) {
    return [=](simulator& sim) {
      auto deaf = sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
        expose_state(self, [] { return "deaf"; });
        return {[](const std::string&) {}};
      });
      sim.caf().spawn([=](caf::event_based_actor* self) -> caf::behavior {
        expose_state(self, [] { return "waiting"; });
        self->delayed_send(self, 1s, 1);
        observe<delivery>().posted();
        return {[=](int) {
          self->send(deaf, std::string("again"));
          self->delayed_send(self, 1s, 1);
        }};
      });
      pass(sim);
    };
  };
  auto endless = run(body([](simulator& sim) { sim.run_until_rest(); }), {.max_steps = 5'000});
  CHECK(endless.end == verdict::liveness);
  CHECK(mentions(endless.message, "(\"again\")"));
  // What the test does after that hour nobody knows.
  auto bounded = run(body([](simulator& sim) {
                       sim.run_for(1h);
                       observe<delivery>().received();
                     }),
                     {.max_steps = 50'000});
  CHECK_FALSE(bounded.is_failure());
}

TEST_CASE("a loop that takes no time is no lasso while a timer is pending") {
  auto result = run(
      [](simulator& sim) {
        sim.caf().spawn(spinner, 3, true);
        auto waiting = sim.caf().spawn(receiver);
        sim.caf().spawn([=](caf::event_based_actor* self) -> caf::behavior {
          self->delayed_send(waiting, 1s, 1);
          return {[](int) {}};
        });
        observe<delivery>().posted();
        sim.run_until_rest();
      },
      {.max_steps = 2'000});
  CHECK(result.end == verdict::step_limit);
}

TEST_CASE("progress that only a monitor counts is no lasso, unless the monitor tells its state") {
  struct counting : monitor {
    int seen = 0;
    bool tells = false;
    void step() {
      become_hot("ten thousand steps");
      seen = tells ? 0 : seen + 1;
    }
    std::optional<std::string> state() const override {
      return tells ? std::optional(std::to_string(seen)) : std::nullopt;
    }
  };
  for (bool tells : {false, true}) {
    auto result = run(
        [=](simulator& sim) {
          observe<counting>().tells = tells;
          sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
            expose_state(self, [] { return 0; });
            self->send(self, 1);
            return {[=](int) {
              observe<counting>().step();
              self->send(self, 1);
            }};
          });
          sim.run_until_idle();
        },
        {.max_steps = 2'000});
    CHECK(result.end == (tells ? verdict::liveness : verdict::step_limit));
  }
}

TEST_CASE("an unfair strategy raises no false alarm: after a while a random walk takes its place") {
  auto body = [](simulator& sim) {
    // Whoever is put off long enough waits for all of the temperature, as the other one never rests.
    auto waiting = sim.caf().spawn(receiver);
    sim.caf().spawn(spinner, 1'000'000, false);
    observe<delivery>().posted();
    post(waiting, 1);
    sim.run_until_idle();
  };
  const simulation_options options{.max_steps = 200, .fail_on_step_limit = false, .temperature_max = 50};
  for (const std::string spec : {"pct", "pctcp", "pos", "delay", "surw", "ql", "random", "portfolio"}) {
    CAPTURE(spec);
    auto runs = make_runner(body, options);
    auto result = explore(runs, make_strategies(spec, runs, options.model), {.seeds = 200});
    CHECK_FALSE(result.failing_seed);
  }
  // Without anybody to take over it would be one.
  newest_first unfair;
  CHECK(run_scenario(body, options, unfair).end == verdict::liveness);
}

TEST_CASE("the detector wants the same state, fairness to all, all values of a choice, and time") {
  auto step = [](std::uint64_t state, std::uint64_t at) {
    return lasso_step{.state = state, .step = at, .time = 0, .oldest_since = at, .awaits_time = false, .handled = {}};
  };
  lasso_detector found;
  CHECK_FALSE(found.after(step(1, 1)));
  CHECK_FALSE(found.after(step(2, 2)));
  auto starving = step(1, 3);
  starving.oldest_since = 1;
  CHECK_FALSE(found.after(starving));
  auto timeless = step(1, 4);
  timeless.awaits_time = true;
  CHECK_FALSE(found.after(timeless));
  found.chose(7, 2, 0, 5);
  CHECK_FALSE(found.after(step(2, 5)));
  found.chose(7, 2, 1, 6);
  auto named = step(9, 6);
  named.handled = "a (1)";
  CHECK_FALSE(found.after(named));
  auto cycle = found.after(step(1, 7));
  REQUIRE(cycle);
  CHECK(cycle->first_step == 1);
  CHECK(cycle->last_step == 7);
  CHECK(cycle->to_text() == "events 2 to 7 lead back to the state from which they began, and can go on so for ever:\n"
                            "  a (1)");
}
