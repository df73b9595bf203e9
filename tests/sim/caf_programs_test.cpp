// Programs in plain CAF, as their users write them, explored without a change: each feature with the outcomes that the
// order of messages allows.
#include "tests/sim/caf_outcomes.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

using adder_type = caf::typed_actor<caf::replies_to<int, int>::with<int>, caf::reacts_to<put_atom, int>>;

adder_type::behavior_type adder(adder_type::pointer) {
  return {[](int a, int b) { return a + b; }, [](put_atom, int) {}};
}

/// A class of its own, with a constructor and an override.
class counter : public caf::event_based_actor {
public:
  counter(caf::actor_config& config, int first) : event_based_actor(config), count_(first) {}
  caf::behavior make_behavior() override {
    return {[this](get_atom) { return count_++; }};
  }

private:
  int count_;
};

caf::behavior echo(caf::event_based_actor*) {
  return {[](int value) { return value; }};
}

} // namespace

TEST_CASE("a stateful actor: a write races with a read") {
  CHECK(outcomes_of([](caf::actor_system& system, std::string& log) {
          auto storage = system.spawn(cell);
          system.spawn([=](caf::event_based_actor* self) { self->send(storage, put_atom::value, 7); });
          system.spawn([=, &log](caf::event_based_actor* self) {
            self->request(storage, caf::infinite, get_atom::value).then([&log](int value) {
              log += std::to_string(value);
            });
          });
        }) == outcomes{"0", "7"});
}

TEST_CASE("statically typed actors are asked like any others") {
  CHECK(outcomes_of([](caf::actor_system& system, std::string& log) {
          auto sum = system.spawn(adder);
          system.spawn([=, &log](caf::event_based_actor* self) {
            for (int i : {1, 2})
              self->request(sum, 1s, i, i).then([&log](int value) { log += std::to_string(value) + " "; });
          });
          system.spawn([=, &log](caf::event_based_actor* self) {
            self->request(sum, 1s, 4, 4).then([&log](int value) { log += std::to_string(value) + " "; });
          });
        }) == outcomes{"2 4 8 ", "2 8 4 ", "8 2 4 "});
}

TEST_CASE("class-based actors, and two that count on the same one") {
  CHECK(outcomes_of([](caf::actor_system& system, std::string& log) {
          auto numbers = system.spawn<counter>(5);
          for (const char* name : {"a", "b"})
            system.spawn([=, &log](caf::event_based_actor* self) {
              self->request(numbers, caf::infinite, get_atom::value).then([=, &log](int number) {
                log += name + std::to_string(number);
              });
            });
        }) == outcomes{"a5b6", "b6a5", "a6b5", "b5a6"});
}

TEST_CASE("await handles nothing else before its response; then does") {
  const auto program = [](bool awaits) {
    return [=](caf::actor_system& system, std::string& log) {
      auto server = system.spawn(echo);
      auto client = system.spawn([=, &log](caf::event_based_actor* self) -> caf::behavior {
        return {[=, &log](go_atom) {
                  auto answered = [&log](int) { log += "answered "; };
                  if (awaits)
                    self->request(server, caf::infinite, 1).await(answered);
                  else
                    self->request(server, caf::infinite, 1).then(answered);
                },
                [&log](put_atom) { log += "put "; }};
      });
      caf::anon_send(client, go_atom::value);
      caf::anon_send(client, put_atom::value);
    };
  };
  CHECK(outcomes_of(program(true)) == outcomes{"answered put "});
  CHECK(outcomes_of(program(false)) == outcomes{"answered put ", "put answered "});
}

TEST_CASE("delayed messages arrive in order of time; those of one time in any") {
  const auto program = [](std::chrono::seconds second) {
    return [=](caf::actor_system& system, std::string& log) {
      auto listener = system.spawn([&log](caf::event_based_actor*) -> caf::behavior {
        return {[&log](int value) { log += std::to_string(value); }};
      });
      system.spawn([=](caf::event_based_actor* self) { self->delayed_send(listener, 5s, 1); });
      system.spawn([=](caf::event_based_actor* self) { self->delayed_send(listener, second, 2); });
    };
  };
  CHECK(outcomes_of(program(5s)) == outcomes{"12", "21"});
  CHECK(outcomes_of(program(4s)) == outcomes{"21"});
}

TEST_CASE("a request without an answer times out in virtual time") {
  CHECK(outcomes_of([](caf::actor_system& system, std::string& log) {
          auto silent = system.spawn([](caf::event_based_actor* self) -> caf::behavior {
            auto promises = std::make_shared<std::vector<caf::response_promise>>();
            return {[=](get_atom) {
              promises->push_back(self->make_response_promise());
              return promises->back();
            }};
          });
          system.spawn([=, &log](caf::event_based_actor* self) {
            self->request(silent, 20min, get_atom::value)
                .then([&log](int) { log += "answer"; },
                      [&log](const caf::error& error) { log += error == caf::sec::request_timeout ? "timeout" : "?"; });
          });
        }) == outcomes{"timeout"});
}

TEST_CASE("links: who is linked to an actor that fails ends with it, unless it handles exits") {
  const auto program = [](bool traps) {
    return [=](caf::actor_system& system, std::string& log) {
      auto fragile = system.spawn([](caf::event_based_actor* self) -> caf::behavior {
        return {[self](go_atom) { self->quit(caf::exit_reason::user_shutdown); }};
      });
      auto linked = system.spawn([=, &log](caf::event_based_actor* self) -> caf::behavior {
        self->link_to(fragile);
        if (traps)
          self->set_exit_handler(
              [&log](caf::exit_msg& exit) { log += exit.reason == caf::exit_reason::user_shutdown ? "exit " : "? "; });
        return {[&log](put_atom) { log += "put "; }};
      });
      system.spawn([=](caf::event_based_actor* self) {
        self->send(fragile, go_atom::value);
        self->send(linked, put_atom::value);
      });
    };
  };
  CHECK(outcomes_of(program(false)) == outcomes{"", "put "});
  // CAF ends an actor that nobody refers to: "put" may have been the last reason for the linked one to live.
  CHECK(outcomes_of(program(true)) == outcomes{"exit put ", "put exit ", "put "});
}

TEST_CASE("monitors: who is down first is told first, and after all that it has sent") {
  CHECK(outcomes_of([](caf::actor_system& system, std::string& log) {
          auto watcher = system.spawn([&log](caf::event_based_actor* self) -> caf::behavior {
            self->set_down_handler([&log](caf::down_msg&) { log += "down "; });
            return {[=](caf::actor other) {
                      self->monitor(other);
                      self->send(other, go_atom::value);
                    },
                    [&log](done_atom) { log += "done "; }};
          });
          auto worker = system.spawn([=](caf::event_based_actor* self) -> caf::behavior {
            return {[=](go_atom) {
              self->send(watcher, done_atom::value);
              self->quit();
            }};
          });
          caf::anon_send(watcher, worker);
        }) == outcomes{"done down "});
}

TEST_CASE("monitors: who asks after an actor that has ended is told after what that one has sent") {
  CHECK(outcomes_of([](caf::actor_system& system, std::string& log) {
          auto watcher = system.spawn([&log](caf::event_based_actor* self) -> caf::behavior {
            self->set_down_handler([&log](caf::down_msg&) { log += "down "; });
            return {[=](caf::actor other) { self->monitor(other); }, [&log](done_atom) { log += "done "; }};
          });
          auto worker = system.spawn([=](caf::event_based_actor* self) -> caf::behavior {
            return {[=](go_atom) {
              self->send(watcher, done_atom::value);
              self->quit();
            }};
          });
          caf::anon_send(worker, go_atom::value);
          caf::anon_send(watcher, worker);
        }) == outcomes{"done down "});
}

TEST_CASE("requests: who asks an actor that has ended is refused after what that one has sent") {
  CHECK(outcomes_of([](caf::actor_system& system, std::string& log) {
          auto asker = system.spawn([&log](caf::event_based_actor* self) -> caf::behavior {
            return {[=, &log](caf::actor other) {
                      self->request(other, caf::infinite, 1)
                          .then([&log](int) { log += "answered "; }, [&log](caf::error&) { log += "refused "; });
                    },
                    [&log](done_atom) { log += "done "; }};
          });
          auto worker = system.spawn([=](caf::event_based_actor* self) -> caf::behavior {
            return {[=](go_atom) {
                      self->send(asker, done_atom::value);
                      self->quit();
                    },
                    [](int value) { return value; }};
          });
          caf::anon_send(worker, go_atom::value);
          caf::anon_send(asker, worker);
        }) == outcomes{"done refused "});
}

TEST_CASE("delegation, promises, and behaviours that change and skip") {
  CHECK(outcomes_of([](caf::actor_system& system, std::string& log) {
          auto worker = system.spawn(echo);
          auto gate = system.spawn([=](caf::event_based_actor* self) -> caf::behavior {
            self->set_default_handler(caf::skip);
            return {[=](go_atom) { self->become([=](int value) { return self->delegate(worker, value + 1); }); }};
          });
          system.spawn([=, &log](caf::event_based_actor* self) {
            self->request(gate, caf::infinite, 1).then([&log](int value) { log += std::to_string(value); });
          });
          system.spawn([=](caf::event_based_actor* self) { self->send(gate, go_atom::value); });
        }) == outcomes{"2"});
}

TEST_CASE("an exception in a handler ends the run with the actor's name") {
  const auto result = one_run([](caf::actor_system& system) {
    auto fragile = system.spawn([](caf::stateful_actor<cell_state>*) -> caf::behavior {
      return {[](int) { throw std::runtime_error("torn"); }};
    });
    caf::anon_send(fragile, 1);
  });
  CHECK(result.end == verdict::exception);
  CHECK(result.message.find("cell#") != std::string::npos);
  CHECK(result.message.find("torn") != std::string::npos);
}
