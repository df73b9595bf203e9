// Crashes of actors and nodes, and nodes that are parted: what others see of them.
#include "sim/fault_point.hpp"
#include "sim/node.hpp"
#include "sim/simulator.hpp"
#include "tests/sim/all_schedules.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

TEST_CASE("an actor that crashes is seen as one that has failed: by monitors, by links, and by who asks") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto server =
        sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int value) { return value; }}; });
    auto client = sim.caf().spawn([=, &seen](caf::event_based_actor* self) -> caf::behavior {
      self->set_down_handler(
          [&seen](caf::down_msg& down) { seen += down.reason == caf::sec::runtime_error ? 'd' : '?'; });
      self->monitor(server);
      self->request(server, 10s, 1).then([&seen](int) { seen += 'a'; }, [&seen](caf::error&) { seen += 'e'; });
      return {[](int) {}};
    });
    sim.spare(client);
    sim.run_for(1min);
    return seen;
  };
  CHECK(all_texts(program, {.faults = {.crash = 1}}) == joined({"a", "ad", "de"}));
}

TEST_CASE("an actor that has asked itself twice and crashes hears nothing, and nothing else comes to harm") {
  const auto program = [](simulator& sim) {
    std::string seen;
    sim.caf().spawn([&seen](caf::event_based_actor* self) -> caf::behavior {
      for (int i = 1; i <= 2; ++i)
        self->request(caf::actor(self), 10s, i)
            .then([&seen](int value) { seen += std::to_string(value); }, [&seen](caf::error&) { seen += 'e'; });
      return {[](int value) { return value; }};
    });
    sim.run_for(1min);
    return seen;
  };
  for (auto model : {order_model::local, order_model::atomic, order_model::network, order_model::unordered}) {
    const simulation_options options{.model = model, .faults = {.crash = 1}};
    const auto seen = texts<dfs_search>(program, options);
    CHECK(seen.count("12") == 1);
    CHECK(seen.count("1") == 1);
    CHECK(texts<dpor_search>(program, options) == seen);
  }
}

TEST_CASE("a node crashes as a whole, and comes back with whom it hosts, under the same address") {
  std::string seen;
  int starts = 0;
  const auto program = [&](simulator& sim) {
    auto alpha = sim.node("alpha");
    auto gone = alpha.spawn(note, &seen);
    auto hosted = alpha.host(
        [](caf::event_based_actor*, std::string* into, int* starts) -> caf::behavior {
          *into += static_cast<char>('A' + (*starts)++);
          return {[into](int value) { *into += std::to_string(value); }};
        },
        &seen, &starts);
    const auto tell = [&](int value) {
      caf::anon_send(hosted, value);
      caf::anon_send(gone, value);
    };
    tell(1);
    sim.run_until_idle();
    CHECK(seen == "A11");
    CHECK(alpha.is_up());
    alpha.crash();
    CHECK_FALSE(alpha.is_up());
    tell(2);
    sim.run_for(2s);
    CHECK(alpha.is_up());
    tell(3);
    sim.run_until_idle();
    CHECK(seen == "A11B3");
  };
  simulator::once(1, program, {.faults = {.down_for = 1s}});
}

TEST_CASE("a crash may come between two sends, and after each of them") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto beta = sim.node("beta");
    auto receiver = beta.spawn(note, &seen);
    sim.spare(receiver);
    sim.node("alpha").spawn([=](caf::event_based_actor* self) -> caf::behavior {
      for (int i : {1, 2, 3})
        self->send(receiver, i);
      return {[](int) {}};
    });
    sim.run_until_idle();
    return seen;
  };
  CHECK(all_texts(program, {.faults = {.crash = 1}}) == joined({"", "1", "12", "123"}));
}

TEST_CASE("nodes are parted one way or both, and find each other again") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto alpha = sim.node("alpha"), beta = sim.node("beta");
    auto log = beta.spawn(note, &seen);
    auto clock = alpha.spawn([=](caf::event_based_actor* self) -> caf::behavior {
      self->delayed_send(self, 1s, 1);
      return {[=](int value) {
        self->send(log, value);
        if (value < 3)
          self->delayed_send(self, 1s, value + 1);
      }};
    });
    sim.run_for(1h);
    caf::anon_send_exit(clock, caf::exit_reason::user_shutdown);
    return seen;
  };
  for (auto both : {true, false}) {
    simulation_options options;
    (both ? options.faults.partition : options.faults.one_way) = 1;
    options.faults.parted_for = 1500ms;
    // One that begins late or is about the other direction loses nothing.
    CHECK(all_texts(program, options) == joined({"123", "12", "13", "3", "23", "1"}));
    options.faults.parted_for = 0s;
    CHECK(all_texts(program, options) == joined({"123", "12", "1", ""}));
  }
}

TEST_CASE("a crash point ends the handler in its middle, and the verdict is not an exception") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto log = sim.caf().spawn(note, &seen);
    sim.spare(log);
    auto writer = sim.caf().spawn([=, &seen](caf::event_based_actor* self) -> caf::behavior {
      return {[=, &seen](int value) {
        self->send(log, value);
        crash_point("before write");
        seen += 'w';
      }};
    });
    caf::anon_send(writer, 1);
    sim.run_until_idle();
    return seen;
  };
  // Never started, sent and crashed, or written.
  CHECK(all_texts(program, {.faults = {.crash = 1}}) == joined({"", "1", "w1"}));
}
