// A program with scenarios, for the tests of its command line: one for each way in which exploration can end.
#include "sim/fault_point.hpp"
#include "sim/scenario.hpp"
#include "tests/sim/programs/oversell.hpp"
#include "tests/sim/search_programs.hpp"
#include <cstdlib>

using namespace troupe;

namespace {

int runs = 0; // What a scenario must not have: state that survives a run.

scenario_set scenarios() {
  scenario_set all;
  all.add({"oversell", "two clients buy the last one",
           [](simulator& sim) { testing::sell_twice(sim, [&sim] { sim.fail("oversold"); }); }});
  all.add({"patient", "the same without a check", [](simulator& sim) { testing::sell_twice(sim, [] {}); }});
  all.add({"stuck", "two tasks wait for each other", [](simulator& sim) {
             auto first = std::make_shared<task<void>>(), second = std::make_shared<task<void>>();
             auto wait_for = [](std::shared_ptr<task<void>> other) -> async<void> { co_await *other; };
             *first = sim.root().spawn([=] { return wait_for(second); }, {.name = "first"});
             *second = sim.root().spawn([=] { return wait_for(first); }, {.name = "second"});
             sim.run_until_idle();
           }});
  all.add({"endless", "an actor never stops talking to itself", [](simulator& sim) {
             auto talker = sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
               return {[self](testing::read_atom atom) { self->send(self, atom); }};
             });
             caf::anon_send(talker, testing::read_atom{});
             sim.run_until_idle();
           }});
  all.add({"forgetful", "a program that does not repeat itself", [](simulator& sim) {
             auto shop = sim.root().open_session({.name = "shop"});
             for (int i = 2 + runs++ % 20; i > 0; --i)
               shop.spawn([] {}).detach();
             sim.run_until_idle();
           }});
  all.add({"a-b-a", "two actors each send to A, B and A again", testing::a_b_a});
  all.add({"unlucky", "a store that fails if its disk does", [](simulator& sim) {
             auto store = sim.caf().spawn([&sim](caf::event_based_actor*) -> caf::behavior {
               return {[&sim](testing::read_atom) { sim.check(!fault_point("store.write"), "a write is lost"); }};
             });
             for (int i = 0; i < 3; ++i)
               caf::anon_send(store, testing::read_atom{});
             sim.run_until_idle();
           }});
  all.add({"urgent", "a message overtakes another", [](simulator& sim) {
             auto receiver = sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; });
             sim.caf().spawn([=](caf::event_based_actor* self) {
               self->send(receiver, 1);
               self->send<caf::message_priority::high>(receiver, 2);
             });
             sim.run_until_idle();
           }});
  all.add({"crash", "the program ends itself under some seeds", [](simulator& sim) {
             if (sim.rng().below(4) == 0)
               std::_Exit(7);
           }});
  return all;
}

} // namespace

int main(int argc, char** argv) { return scenario_main(scenarios(), argc, argv); }
