// CAF 1's clock on a dispatcher: one timer for each action, and none that is left behind.
#include "tests/support/simulated_host.hpp"
#include <caf/action.hpp>
#include <caf/all.hpp>
#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

caf::action count_up(int& counter) {
  return caf::make_single_shot_action([&counter] { ++counter; });
}

} // namespace

TEST_CASE("actions run when they are due, in virtual time") {
  simulated_host sim;
  auto& clock = sim.host.caf().clock();
  int early = 0, late = 0;
  auto first = clock.schedule(clock.now() + 10s, count_up(early));
  auto second = clock.schedule(clock.now() + 20s, count_up(late));
  sim.run_for(15s);
  CHECK(early == 1);
  CHECK(first.disposed());
  CHECK(late == 0);
  CHECK_FALSE(second.disposed());
  sim.run_for(15s);
  CHECK(late == 1);
  CHECK_FALSE(sim.engine.advance_to_next_timer());
}

TEST_CASE("disposing cancels the timer, destroys the action, and may be done twice") {
  simulated_host sim;
  auto& clock = sim.host.caf().clock();
  auto held = std::make_shared<int>(0);
  auto handle = clock.schedule(clock.now() + 10s, caf::make_single_shot_action([held] { ++*held; }));
  auto copy = handle;
  CHECK(held.use_count() == 2);
  handle.dispose();
  copy.dispose();
  CHECK(held.use_count() == 1);
  CHECK_FALSE(sim.engine.advance_to_next_timer());
  CHECK(*held == 0);
}

TEST_CASE("a request that is answered leaves no timer behind") {
  simulated_host sim;
  auto echo =
      sim.host.caf().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int value) { return value; }}; });
  int answer = 0;
  sim.host.caf().spawn([&, echo](caf::event_based_actor* self) {
    self->mail(7).request(echo, 10s).then([&](int value) { answer = value; });
  });
  sim.run();
  CHECK(answer == 7);
  CHECK_FALSE(sim.engine.advance_to_next_timer());
}

TEST_CASE("a disposable that outlives its system does nothing, and what was scheduled is destroyed with the system") {
  auto held = std::make_shared<int>(0);
  caf::disposable kept;
  {
    simulated_host sim;
    auto& clock = sim.host.caf().clock();
    kept = clock.schedule(clock.now() + 10s, caf::make_single_shot_action([held] { ++*held; }));
  }
  CHECK(held.use_count() == 1);
  CHECK(kept.disposed());
  kept.dispose();
  CHECK(*held == 0);
}

TEST_CASE("the actors that CAF has for itself are nobody's events") {
  simulated_host sim;
  CHECK_FALSE(sim.engine.step());
  CHECK(sim.host.running_actors() == 0);
}
