// What waits in plain CAF: actors that want a thread are refused, a scoped_actor and await_all_actors_done are not.
#include "tests/sim/caf_outcomes.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <set>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

// -- what wants a thread of its own --

TEST_CASE("detached and blocking actors are refused as they are spawned, and never run") {
  bool has_run = false;
  const auto check_refused = [&](auto spawn) {
    const auto result = one_run([&](caf::actor_system& system) { spawn(system); });
    CHECK(result.end == verdict::foreign_thread);
    INFO(result.message);
    CHECK(result.message.find("wants a thread of its own") != std::string::npos);
    CHECK(result.message.find("spawn it without caf::detached") != std::string::npos);
  };
  check_refused([&](caf::actor_system& system) {
    system.spawn<caf::detached>([&has_run](caf::event_based_actor*) { has_run = true; });
  });
  check_refused([&](caf::actor_system& system) { system.spawn([&has_run](caf::blocking_actor*) { has_run = true; }); });
  check_refused([&](caf::actor_system& system) { // by an actor
    system.spawn([&has_run](caf::event_based_actor* self) {
      self->spawn<caf::detached>([&has_run](caf::event_based_actor*) { has_run = true; });
    });
  });
  check_refused([&](caf::actor_system& system) { // by an actor that does not care
    system.spawn([&has_run](caf::event_based_actor* self) {
      try {
        self->spawn([&has_run](caf::blocking_actor*) { has_run = true; });
      } catch (...) {
      }
    });
  });
  CHECK_FALSE(has_run);
}

TEST_CASE("a scoped_actor asks, and others go on while it waits") {
  CHECK(outcomes_of([](caf::actor_system& system, std::string& log) {
          auto storage = system.spawn(cell);
          caf::scoped_actor self{system};
          system.spawn([=](caf::event_based_actor* other) { other->send(storage, put_atom::value, 2); });
          self->send(storage, put_atom::value, 1);
          self->request(storage, 1min, get_atom::value)
              .receive([&log](int value) { log += std::to_string(value); },
                       [&log](const caf::error& error) { log += caf::to_string(error); });
        }) == outcomes{"1", "2"});
}

TEST_CASE("a scoped_actor receives what others send it, in the orders that there are") {
  CHECK(outcomes_of([](caf::actor_system& system, std::string& log) {
          caf::scoped_actor self{system};
          for (int first : {1, 3})
            system.spawn([=, me = caf::actor{self}](caf::event_based_actor* other) {
              other->send(me, first);
              other->send(me, first + 1);
            });
          int i = 0;
          self->receive_for(i, 4)([&log](int value) { log += std::to_string(value); });
        }) == outcomes{"1234", "1324", "1342", "3124", "3142", "3412"});
}

TEST_CASE("a scoped_actor waits for the end of actors") {
  CHECK(outcomes_of([](caf::actor_system& system, std::string& log) {
          caf::scoped_actor self{system};
          auto worker = [&](const char* name) {
            return system.spawn([=, &log](caf::event_based_actor* other) -> caf::behavior {
              other->delayed_send(other, 10s, go_atom::value);
              return {[=, &log](go_atom) {
                log += name;
                other->quit();
              }};
            });
          };
          auto a = worker("a"), b = worker("b");
          self->wait_for(a, b);
          log += ".";
        }) == outcomes{"ab.", "ba."});
}

TEST_CASE("a request of a scoped_actor times out in virtual time, and dead receivers are told of") {
  CHECK(outcomes_of([](caf::actor_system& system, std::string& log) {
          caf::scoped_actor self{system};
          auto silent = system.spawn([](caf::event_based_actor* other) -> caf::behavior {
            auto promise = std::make_shared<caf::response_promise>();
            return {[=](int) { return *promise = other->make_response_promise(); }};
          });
          const auto failed = [&log](const caf::error& error) {
            log += error == caf::sec::request_timeout ? "timeout " : "error ";
          };
          self->request(silent, 60min, 1).receive([&log](int) { log += "answer "; }, failed);
          self->send_exit(silent, caf::exit_reason::user_shutdown);
          self->wait_for(silent);
          self->request(silent, caf::infinite, 1).receive([&log](int) { log += "answer "; }, failed);
        }) == outcomes{"timeout error "});
}

TEST_CASE("a scoped_actor that waits for what never comes is a deadlock, and one that reads the clock is refused") {
  const auto forever = one_run([](caf::actor_system& system) {
    caf::scoped_actor self{system};
    self->receive([](int) {});
  });
  CHECK(forever.end == verdict::deadlock);
  CHECK(forever.message == "a scoped_actor waits for a message, and nothing can happen any more");

  const auto timed = one_run([](caf::actor_system& system) {
    caf::scoped_actor self{system};
    self->receive([](int) {}, caf::after(1s) >> [] {});
  });
  CHECK(timed.end == verdict::foreign_thread);
  CHECK(timed.message.find("real clock") != std::string::npos);
}

TEST_CASE("a main program waits until all actors are done") {
  CHECK(outcomes_of([](caf::actor_system& system, std::string& log) {
          for (int i : {1, 2})
            system.spawn([=, &log](caf::event_based_actor* self) -> caf::behavior {
              self->delayed_send(self, 1s, go_atom::value);
              return {[=, &log](go_atom) {
                log += std::to_string(i);
                self->quit();
              }};
            });
          system.await_all_actors_done();
          log += ".";
        }) == outcomes{"12.", "21."});
}

TEST_CASE("runs with a scoped_actor repeat") {
  const auto program = [](caf::actor_system& system) {
    caf::scoped_actor self{system};
    for (int i = 0; i < 5; ++i)
      system.spawn([=, me = caf::actor{self}](caf::event_based_actor* other) { other->send(me, i); });
    int i = 0;
    self->receive_for(i, 5)([](int) {});
  };
  std::set<std::uint64_t> traces;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto first = one_run(program, seed), second = one_run(program, seed);
    CHECK(first.end == verdict::ok);
    CHECK(first.trace_hash == second.trace_hash);
    traces.insert(first.trace_hash);
  }
  CHECK(traces.size() > 10);
}
