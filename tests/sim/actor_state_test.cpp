// What actors tell of their state, and who gets to see it.
#include "sim/actor_state.hpp"
#include "sim/simulator.hpp"
#include "tests/support/threads.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <map>

using namespace troupe;

namespace {

using namespace std::chrono_literals;

struct account {
  int balance = 0;
  std::map<std::string, int> pending;
  template <class Inspector>
  friend auto inspect(Inspector& f, account& x) {
    return inspect_fields(f, x, "account", message_field{"balance", x.balance}, message_field{"pending", x.pending});
  }
};

caf::behavior account_actor(caf::stateful_actor<account>* self) {
  expose_state(self);
  return {[=](int amount) { state_of(*self).balance += amount; },
          [=](const std::string& who) { ++state_of(*self).pending[who]; }};
}

/// A class-based actor, which tells of its state before it is launched.
class counter : public caf::event_based_actor {
public:
  explicit counter(caf::actor_config& config) : event_based_actor(config) {
    expose_state(this, [this] { return "seen " + std::to_string(seen_); });
  }
  caf::behavior make_behavior() override {
    return {[this](int n) { seen_ += n; }};
  }

private:
  int seen_ = 0;
};

std::vector<std::string> states_of(const run_result& run) {
  std::vector<std::string> states;
  for (auto& entry : run.trace)
    if (!entry.state.empty())
      states.push_back(entry.state);
  return states;
}

std::vector<std::string> states_in(const simulator::test& body) {
  return states_of(simulator::once(0, body, {.randomize_order = false, .trace = true}));
}

// Not empty: CAF 1 prints what is.
struct opaque {
  int something = 0;
};

} // namespace

TEST_CASE("a stateful actor needs one line, and each of its events tells the state that it has left") {
  auto states = states_in([](simulator& sim) {
    auto a = sim.caf().spawn(account_actor);
    post(a, 5);
    post(a, std::string("bob"));
    sim.run_until_idle();
  });
  std::vector<std::string> expected;
  for (auto& state : {account{}, account{5, {}}, account{5, {{"bob", 1}}}})
    expected.push_back(caf::deep_to_string(state));
  CHECK(expected[2].find("bob") != std::string::npos);
  CHECK(states == expected);
}

TEST_CASE("a class-based actor tells of its state from its constructor on") {
  auto states = states_in([](simulator& sim) {
    auto a = sim.caf().spawn<counter>();
    post(a, 2);
    post(a, 3);
    sim.run_until_idle();
  });
  CHECK(states == std::vector<std::string>{"seen 0", "seen 2", "seen 5"});
}

TEST_CASE("a function may return a hash, and the last call of expose_state counts") {
  auto states = states_in([](simulator& sim) {
    auto a = sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
      auto sum = std::make_shared<std::uint64_t>(1);
      expose_state(self, [sum] { return *sum; });
      return {[=](int n) {
        *sum *= static_cast<std::uint64_t>(n);
        if (n == 7)
          expose_state(self, [] { return "seven"; });
      }};
    });
    for (int n : {6, 7, 2})
      post(a, n);
    sim.run_until_idle();
  });
  CHECK(states == std::vector<std::string>{"1", "6", "seven", "seven"});
}

TEST_CASE("a state is not read once the actor has ended, and keeps no actor alive") {
  int reads_after_end = 0;
  bool gone = false;
  auto result = simulator::once(0,
                                [&](simulator& sim) {
                                  struct witness {
                                    explicit witness(bool& flag) : gone{flag} {}
                                    bool& gone;
                                    ~witness() { gone = true; }
                                  };
                                  auto a = sim.caf().spawn([&](caf::event_based_actor* self) -> caf::behavior {
                                    expose_state(self, [&] {
                                      reads_after_end += gone;
                                      return "alive";
                                    });
                                    return {[self, alive = std::make_shared<witness>(gone)](int) { self->quit(); }};
                                  });
                                  post(a, 1);
                                  post(a, 2);
                                  sim.run_until_idle();
                                  CHECK(gone);
                                },
                                {.trace = true});
  CHECK_FALSE(result.is_failure());
  CHECK(states_of(result).size() == 1);
  CHECK(reads_after_end == 0);
}

TEST_CASE("outside of a simulated run it does nothing" * doctest::skip(!testing::has_threads)) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  bool was_read = false;
  caf::scoped_actor self{system};
  auto a = system.spawn([&](caf::event_based_actor* actor) -> caf::behavior {
    expose_state(actor, [&] {
      was_read = true;
      return 0;
    });
    return {[](int n) { return n; }};
  });
  self->request(a, caf::infinite, 1).receive([](int) {}, [](const caf::error&) { FAIL("no answer"); });
  CHECK_FALSE(was_read);
}

TEST_CASE("a state that cannot be printed or read is an error that names the actor, with a trace and without") {
  for (bool trace : {false, true}) {
    auto unprintable = simulator::once(0,
                                       [](simulator& sim) {
                                         sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
                                           static const opaque state;
                                           expose_state(self, state);
                                           return {[](int) {}};
                                         });
                                         sim.run_until_idle();
                                       },
                                       {.trace = trace});
    CHECK(unprintable.end == verdict::failed);
    CHECK(unprintable.message.find("exposes a state that CAF cannot print") != std::string::npos);
    auto throws = simulator::once(0,
                                  [](simulator& sim) {
                                    auto a = sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
                                      expose_state(self, []() -> int { throw std::runtime_error("not now"); });
                                      return {[](int) {}};
                                    });
                                    sim.run_until_idle();
                                  },
                                  {.trace = trace});
    CHECK(throws.end == verdict::exception);
    CHECK(throws.message.find("threw: ") != std::string::npos);
    CHECK(throws.message.find("not now") != std::string::npos);
  }
}
