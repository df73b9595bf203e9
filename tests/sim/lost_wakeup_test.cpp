// Lost wakeups: who waits for a signal that came too early is named, and what only looks like it is not.
#include "sim/chart.hpp"
#include "sim/explanation.hpp"
#include "sim/random_strategy.hpp"
#include "sim/shrink.hpp"
#include "sim/simulator.hpp"
#include "sim/specification.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <vector>

using namespace troupe;

namespace {

using body = std::function<void(simulator&)>;

bool holds(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

struct woken : monitor {
  void waits() { become_hot("the waiter is woken"); }
  void goes_on() { become_cold(); }
};

struct waiter_state {
  static inline const char* name = "waiter";
};
struct gate_state {
  static inline const char* name = "gate";
};
struct opener_state {
  static inline const char* name = "opener";
};

/// The first failures under a random walk, shrunk and explained.
std::vector<explanation> explained(const body& program, simulation_options options = {}, std::size_t wanted = 5) {
  std::vector<explanation> result;
  const auto run = make_runner(program, options);
  for (std::uint64_t seed = 0; seed < 500 && result.size() < wanted; ++seed) {
    random_strategy order(seed);
    const auto failing = run(seed, order, false);
    if (!failing.is_failure())
      continue;
    options.seed = seed;
    result.push_back(explain(run, shrink(run, make_tape("test", "program", "random", options, failing)).shortest));
  }
  CHECK(result.size() == wanted);
  return result;
}

/// Tells the gate that it waits, when it has got round to it, and is told when the gate is open.
caf::behavior waiter(caf::stateful_actor<waiter_state>* self, const caf::actor& gate) {
  observe<woken>().waits();
  self->send(self, 3);
  return {[=](int left) {
            if (left == 0)
              self->send(gate, caf::actor(self));
            else
              self->send(self, left - 1);
          },
          [](const std::string&) { observe<woken>().goes_on(); }};
}

/// Tells those who wait that it opens; whoever comes later is told if it remembers.
caf::behavior gate(caf::stateful_actor<gate_state>* self, bool remembers) {
  const auto waiting = std::make_shared<std::vector<caf::actor>>();
  const auto is_open = std::make_shared<bool>(false);
  return {[=](bool) {
            *is_open = true;
            for (const auto& each : *waiting)
              self->send(each, std::string("open"));
          },
          [=](const caf::actor& who) {
            waiting->push_back(who);
            if (*is_open && remembers)
              self->send(who, std::string("open"));
          }};
}

void wait_at_a_gate(simulator& sim, bool remembers) {
  const auto there = sim.caf().spawn(gate, remembers);
  sim.caf().spawn(waiter, there);
  sim.caf().spawn([=](caf::stateful_actor<opener_state>* self) { self->send(there, true); });
  sim.run_until_idle();
}

} // namespace

TEST_CASE("a signal that comes before its waiter is known is a lost wakeup, in every order model") {
  for (const auto model : {order_model::local, order_model::atomic, order_model::network, order_model::unordered}) {
    INFO(to_string(model));
    for (const auto& told : explained([](simulator& sim) { wait_at_a_gate(sim, false); }, {.model = model})) {
      INFO(chart(told));
      CHECK(told.wakeup.find("lost wakeup: waiter#") == 0);
      CHECK(holds(told.wakeup, " waits for \"open\"; true came to gate#"));
      CHECK(holds(told.wakeup, " and did not wake it; in the other order it does, and the run passes (it was run)"));
      CHECK(holds(chart(told), "\n" + told.wakeup + "\n"));
    }
  }
}

TEST_CASE("a gate that remembers loses no wakeup") {
  const auto run = make_runner([](simulator& sim) { wait_at_a_gate(sim, true); }, {});
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    random_strategy order(seed);
    CHECK_FALSE(run(seed, order, false).is_failure());
  }
}

TEST_CASE("a signal that its receiver takes before it waits is a lost wakeup") {
  const auto all = explained([](simulator& sim) {
    observe<woken>().waits();
    const auto who = sim.caf().spawn([](caf::stateful_actor<waiter_state>*) -> caf::behavior {
      const auto is_waiting = std::make_shared<bool>(false);
      return {[=](int) { *is_waiting = true; },
              [=](const std::string&) {
                if (*is_waiting)
                  observe<woken>().goes_on();
              }};
    });
    sim.caf().spawn([=](caf::event_based_actor* self) { self->send(who, 7); });
    sim.caf().spawn([=](caf::stateful_actor<opener_state>* self) { self->send(who, std::string("open")); });
    sim.run_until_idle();
  });
  for (const auto& told : all) {
    INFO(chart(told));
    CHECK(told.wakeup.find("lost wakeup: waiter#") == 0);
    CHECK(holds(told.wakeup, " waits for \"open\", which came ("));
    CHECK(holds(told.wakeup, ") before 7 ("));
    CHECK(holds(told.wakeup, " and had no effect; in the other order it has, and the run passes (it was run)"));
  }
}

TEST_CASE("philosophers who hold each other's forks have lost no wakeup") {
  const auto all = explained([](simulator& sim) {
    struct eaten : monitor {
      int left = 2;
      void begin() { become_hot("both eat"); }
      void eat() {
        if (--left == 0)
          become_cold();
      }
    };
    observe<eaten>().begin();
    // Granted to one at a time; others wait for it in order.
    const auto fork = [](caf::event_based_actor* self) -> caf::behavior {
      const auto waiting = std::make_shared<std::vector<caf::actor>>();
      const auto is_held = std::make_shared<bool>(false);
      return {[=](const caf::actor& who) {
                if (*is_held)
                  waiting->push_back(who);
                else
                  self->send(who, std::string("granted"));
                *is_held = true;
              },
              [=](bool) {
                *is_held = !waiting->empty();
                if (*is_held) {
                  self->send(waiting->front(), std::string("granted"));
                  waiting->erase(waiting->begin());
                }
              }};
    };
    const auto one = sim.caf().spawn(fork), other = sim.caf().spawn(fork);
    const auto philosopher = [](caf::event_based_actor* self, const caf::actor& first,
                                const caf::actor& second) -> caf::behavior {
      self->send(first, caf::actor(self));
      return {[=, held = std::make_shared<int>(0)](const std::string&) {
        if (++*held == 1) {
          self->send(second, caf::actor(self));
          return;
        }
        observe<eaten>().eat();
        self->send(first, true);
        self->send(second, true);
      }};
    };
    sim.caf().spawn(philosopher, one, other);
    sim.caf().spawn(philosopher, other, one);
    sim.run_until_idle();
  });
  for (const auto& told : all) {
    INFO(chart(told));
    CHECK(told.run.result.end == verdict::liveness);
    CHECK(told.is_race);
    CHECK(told.wakeup.empty());
  }
}

TEST_CASE("actors that await each other have lost no wakeup") {
  const auto all = explained([](simulator& sim) {
    const auto peer = [](caf::event_based_actor* self) -> caf::behavior {
      return {[=](const caf::actor& other) {
                self->request(other, caf::infinite, 1).await([](int) {}, [](const caf::error&) {});
              },
              [](int n) { return n; }};
    };
    const auto a = sim.caf().spawn(peer), b = sim.caf().spawn(peer);
    sim.caf().spawn([=](caf::event_based_actor* self) { self->send(a, b); });
    sim.caf().spawn([=](caf::event_based_actor* self) { self->send(b, a); });
    sim.run_until_idle();
  });
  for (const auto& told : all) {
    INFO(chart(told));
    CHECK(told.run.result.end == verdict::deadlock);
    CHECK(told.wakeup.empty());
  }
}

TEST_CASE("who asks too early has lost no wakeup: the signal came later") {
  const auto all = explained([](simulator& sim) {
    observe<woken>().waits();
    const auto guard = sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
      const auto is_open = std::make_shared<bool>(false);
      return {[=](bool) { *is_open = true; },
              [=](const caf::actor& who) {
                if (*is_open)
                  self->send(who, std::string("open"));
              }};
    });
    sim.caf().spawn([=](caf::event_based_actor* self) { self->send(guard, true); });
    sim.caf().spawn([=](caf::event_based_actor* self) -> caf::behavior {
      self->send(guard, caf::actor(self));
      return {[](const std::string&) { observe<woken>().goes_on(); }};
    });
    sim.run_until_idle();
  });
  for (const auto& told : all) {
    INFO(chart(told));
    CHECK(told.is_race);
    CHECK(told.wakeup.empty());
  }
}
