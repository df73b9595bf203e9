// A program with scenarios that nobody should write: for the tests of what becomes of them.
#include "sim/fault_point.hpp"
#include "sim/scenario.hpp"
#include "tests/sim/programs/oversell.hpp"
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <unistd.h>

using namespace troupe;

namespace {

/// Nobody can see that it goes on for ever; the optimiser must not either.
[[noreturn]] void spin() {
  for (volatile int turns = 0;;)
    turns = turns + 1;
}

[[noreturn]] void eat() {
  for (std::vector<std::vector<char>> eaten;;)
    eaten.emplace_back(std::size_t{1} << 20, 'x');
}

/// An actor that does `what` when it is asked to read.
caf::actor spawn_doer(simulator& sim, std::function<void()> what) {
  return sim.caf().spawn([what](caf::event_based_actor*) -> caf::behavior {
    return {[what](testing::read_atom) { what(); }, [](testing::reserve_atom) {}};
  });
}

/// Two messages race; if the second one is first, the actor does `what` with the other, else `in_turn`.
void if_out_of_turn(
    simulator& sim, const std::function<void()>& what, const std::function<void()>& in_turn = [] {}) {
  auto is_reserved = std::make_shared<bool>(false);
  auto doer = sim.caf().spawn([=](caf::event_based_actor*) -> caf::behavior {
    return {[=](testing::read_atom) {
              if (*is_reserved)
                what();
              else
                in_turn();
            },
            [=](testing::reserve_atom) { *is_reserved = true; }};
  });
  for (bool reads : {true, false})
    sim.caf().spawn([=](caf::event_based_actor* self) {
      if (reads)
        self->send(doer, testing::read_atom{});
      else
        self->send(doer, testing::reserve_atom{});
    });
  sim.run_until_idle();
}

std::string real_time() { return std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()); }

scenario_set scenarios() {
  scenario_set all;
  all.add({"throws", "in its set-up", [](simulator&) { throw std::runtime_error("no such table"); }});
  all.add(
      {"spins", "a handler never ends, in some orders", [](simulator& sim) { if_out_of_turn(sim, [] { spin(); }); }});
  all.add({"spins-always", "the test itself never ends", [](simulator&) { spin(); }});
  all.add({"polls", "waits for what never comes", [](simulator& sim) {
             for (volatile bool is_there = false; !is_there;)
               sim.run_for(std::chrono::milliseconds{1});
           }});
  all.add({"blocks", "a handler waits for real", [](simulator& sim) {
             caf::anon_send(spawn_doer(sim, [] { ::pause(); }), testing::read_atom{});
             sim.run_until_idle();
           }});
  all.add({"eats", "a handler takes all memory, in some orders",
           [](simulator& sim) { if_out_of_turn(sim, [] { eat(); }); }});
  all.add({"quits", "a handler ends the process, in some orders",
           [](simulator& sim) { if_out_of_turn(sim, [] { std::_Exit(4); }); }});
  all.add({"quits-unlucky", "a handler ends the process, if a write fails", [](simulator& sim) {
             auto writer = spawn_doer(sim, [] {
               if (fault_point("write"))
                 std::_Exit(4);
             });
             for (int i = 0; i < 20; ++i)
               caf::anon_send(writer, testing::read_atom{});
             sim.run_until_idle();
           }});
  all.add({"mails", "an actor sends twice as much as it gets", [](simulator& sim) {
             auto doubler = sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
               return {[self](testing::read_atom atom) {
                 self->send(self, atom);
                 self->send(self, atom);
               }};
             });
             caf::anon_send(doubler, testing::read_atom{});
             sim.run_until_idle();
           }});
  all.add({"leaks", "a little with every run", [](simulator&) {
             auto* lost = new std::vector<char>(std::size_t{1} << 20, 'x');
             static_cast<void>(lost);
           }});
  all.add({"reads-clock", "what it sends depends on the real time", [](simulator& sim) {
             auto doer = spawn_doer(sim, [] {});
             for (auto count = std::chrono::steady_clock::now().time_since_epoch().count() / 1000 % 7; count-- >= 0;)
               caf::anon_send(doer, testing::read_atom{});
             sim.run_until_idle();
           }});
  all.add({"tells-time", "fails with the real time in its message",
           [](simulator& sim) { sim.fail("it is " + real_time()); }});
  all.add({"sleeps", "for real, which does no harm", [](simulator& sim) {
             std::this_thread::sleep_for(std::chrono::milliseconds{2});
             sim.run_until_idle();
           }});
  all.add({"threads", "another thread sends", [](simulator& sim) {
             auto doer = spawn_doer(sim, [] {});
             std::thread{[doer] { caf::anon_send(doer, testing::read_atom{}); }}.join();
             sim.run_until_idle();
           }});
  all.add({"radio", "another thread has something to say, by the entry that there is for it", [](simulator& sim) {
             input_queue packets;
             std::thread radio;
             if (sim.is_live())
               radio = std::thread([&packets] {
                 for (int i = 0; i < 3; ++i)
                   packets.push("at " + real_time());
                 packets.close();
               });
             auto heard = std::make_shared<std::string>();
             auto gateway = sim.caf().spawn([heard](caf::event_based_actor*) -> caf::behavior {
               return {[heard](const std::string& packet) { *heard += packet + "; "; }};
             });
             sim.outside(
                 "packet", [&packets] { return packets.pop(); },
                 [gateway](const std::string& packet) { caf::anon_send(gateway, packet); });
             sim.run_until_idle();
             if (radio.joinable())
               radio.join();
             sim.fail("heard " + *heard);
           }});
  all.add({"many-ways", "fails in several ways, by its seed", [](simulator& sim) {
             switch (sim.rng().below(10)) {
             case 0:
               sim.fail("there were " + std::to_string(sim.rng().below(100)) + " left");
               break;
             case 1:
               throw std::runtime_error("out of paper");
             case 2:
               std::_Exit(3);
             case 3:
               caf::anon_send(spawn_doer(sim, [] { std::raise(SIGKILL); }), testing::read_atom{});
               sim.run_until_idle();
               break;
             default:
               break;
             }
           }});
  all.add({"shrinks-badly", "ends its process in the default order, and fails in others", [](simulator& sim) {
             if_out_of_turn(
                 sim, [&sim] { sim.fail("out of turn"); }, [] { std::_Exit(5); });
           }});
  return all;
}

} // namespace

int main(int argc, char** argv) { return scenario_main(scenarios(), argc, argv); }
