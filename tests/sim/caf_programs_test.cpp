// Programs in plain CAF, as their users write them, explored without a change: each feature with the outcomes that the
// order of messages allows.
#include "sim/explore.hpp"
#include "sim/simulator.hpp"
#include "sim/strategies.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <set>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

using get_atom = caf::atom_constant<caf::atom("get")>;
using put_atom = caf::atom_constant<caf::atom("put")>;
using go_atom = caf::atom_constant<caf::atom("go")>;
using done_atom = caf::atom_constant<caf::atom("done")>;
using outcomes = std::set<std::string>;

/// What a program that gets no more than an actor system writes down, over all its schedules.
template <class Program>
outcomes outcomes_of(Program program, const char* strategy = "dfs") {
  outcomes seen;
  std::string log, kept;
  const auto body = [&](simulator& sim) {
    log.clear();
    program(sim.caf(), log);
    sim.run_for(1h);
    kept = log;
  };
  const auto inner = make_runner(body, {});
  const runner run = [&](std::uint64_t seed, troupe::strategy& order, bool trace) {
    auto result = inner(seed, order, trace);
    CHECK_MESSAGE(!result.is_failure(), result.message);
    seen.insert(kept);
    return result;
  };
  const auto found = explore(run, make_strategies(strategy, run), {.seeds = 300'000});
  CHECK(found.is_proven);
  return seen;
}

template <class Program>
run_result one_run(Program program, std::uint64_t seed = 0) {
  return simulator::once(seed, [&](simulator& sim) { program(sim.caf()); });
}

// -- actors of all kinds --

struct cell_state {
  cell_state() = default;
  int value = 0;
  static inline const char* name = "cell";
};

caf::behavior cell(caf::stateful_actor<cell_state>* self) {
  return {[self](put_atom, int value) { self->state.value = value; }, [self](get_atom) { return self->state.value; }};
}

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

#ifdef TROUPE_CAF_IS_SHARED // else CAF's own functions run: a scoped_actor waits on a thread, and detached actors start

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

#endif
