// Who waits for what cannot come: told as soon as it is certain, and not before.
#include "sim/explore.hpp"
#include "sim/simulator.hpp"
#include "sim/strategies.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>

using namespace troupe;

namespace {

using namespace std::chrono_literals;

bool mentions(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

/// Goes on for ever and has nothing to do with anybody.
void spawn_poller(simulator& sim) {
  sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
    self->delayed_send(self, 1s, 1);
    return {[=](int) { self->delayed_send(self, 1s, 1); }};
  });
}

struct peer_state {
  static inline const char* name = "peer";
  static inline int alive = 0;
  peer_state() { ++alive; }
  peer_state(const peer_state&) = delete;
  ~peer_state() { --alive; }
  caf::actor other;
};

#if TROUPE_CAF_MAJOR == 0
using request_timeout = caf::duration; // what caf::infinite converts to, which std::chrono has no value for
#else
using request_timeout = caf::timespan; // what caf::infinite is
#endif

/// Asks its peer when it is told to, and answers others when it has the answer.
caf::behavior peer(caf::stateful_actor<peer_state>* self, request_timeout timeout, bool awaits) {
  return {[=](const caf::actor& other) { state_of(*self).other = other; },
          [=](const std::string&) {
            auto asked = self->request(state_of(*self).other, timeout, 1);
            if (awaits)
              asked.await([](int) {}, [](const caf::error&) {});
            else
              asked.then([](int) {}, [](const caf::error&) {});
          },
          [=](int n) { return n; }};
}

void two_peers(simulator& sim, request_timeout timeout, bool awaits) {
  spawn_poller(sim);
  auto a = sim.caf().spawn(peer, timeout, awaits);
  auto b = sim.caf().spawn(peer, timeout, awaits);
  post(a, b);
  post(b, a);
  sim.run_until_idle();
  post(a, std::string("ask"));
  post(b, std::string("ask"));
  sim.run_for(1h);
}

std::uint64_t failures(const std::function<void(simulator&)>& body, std::uint64_t seeds, run_result* last = nullptr) {
  std::uint64_t count = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed)
    if (auto result = simulator::once(seed, body); result.is_failure()) {
      ++count;
      if (last)
        *last = result;
    }
  return count;
}

} // namespace

TEST_CASE("two actors that await each other are a deadlock at once, though others go on") {
  run_result found;
  auto count = failures([](simulator& sim) { two_peers(sim, caf::infinite, true); }, 50, &found);
#if TROUPE_CAF_MAJOR == 0 // CAF 1 does not tell whose a timer is: the poller's might end the wait
  CHECK(count > 0);
  CHECK(count < 50); // in some orders one of them has its answer first
  CHECK(found.end == verdict::deadlock);
  CHECK(mentions(found.message, "actors await each other, and nothing can end that:\n  peer#"));
  CHECK(mentions(found.message, " awaits the response of "));
  CHECK(found.steps < 100); // and not after that hour
#else
  CHECK(count == 0);
#endif
  CHECK(peer_state::alive == 0); // who awaits does not look at a kill, and each holds the other
}

TEST_CASE("a timeout can end a wait, and an actor that does not wait with all else answers") {
  CHECK(failures([](simulator& sim) { two_peers(sim, request_timeout{10s}, true); }, 50) == 0);
  CHECK(failures([](simulator& sim) { two_peers(sim, caf::infinite, false); }, 50) == 0);
}

TEST_CASE("a response of an actor that has ended without answering cannot come") {
  auto body = [](bool passes_on) {
    return [=](simulator& sim) {
      spawn_poller(sim);
      auto helper = sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int n) { return n; }}; });
      auto server = sim.caf().spawn([=](caf::event_based_actor* self) -> caf::behavior {
        auto promise = std::make_shared<caf::response_promise>();
        return {[=](int n) -> caf::result<int> {
          *promise = self->make_response_promise();
          self->quit();
          if (passes_on)
            promise->delegate(helper, n);
          return *promise;
        }};
      });
      sim.caf().spawn([=](caf::event_based_actor* self) -> caf::behavior {
        self->request(server, caf::infinite, 1).await([](int) {}, [](const caf::error&) {});
        return {[](int) {}};
      });
      sim.run_for(1h);
    };
  };
  auto lost = simulator::once(0, body(false));
#if TROUPE_CAF_MAJOR == 0 // CAF 1 answers with an error
  CHECK(lost.end == verdict::deadlock);
  CHECK(mentions(lost.message, "a response is awaited that cannot come:"));
  CHECK(mentions(lost.message, "which has ended without answering"));
  CHECK(lost.steps < 100);
#endif
  CHECK_FALSE(simulator::once(0, body(true)).is_failure());
}

TEST_CASE("who never answers is named when the run has come to rest") {
  auto body = [](bool answers_later) {
    return [=](simulator& sim) {
      auto promise = std::make_shared<caf::response_promise>();
      auto server = sim.caf().spawn([=](caf::event_based_actor* self) -> caf::behavior {
        return {[=](int) -> caf::result<int> {
                  *promise = self->make_response_promise();
                  return *promise;
                },
                [=](const std::string&) { promise->deliver(1); }};
      });
      sim.caf().spawn([=](caf::event_based_actor* self) -> caf::behavior {
        self->request(server, caf::infinite, 1).await([](int) {}, [](const caf::error&) {});
        return {[](int) {}};
      });
      sim.run_until_idle();
      if (answers_later)
        post(server, std::string("now"));
      sim.run_until_idle();
      promise.reset();
    };
  };
  auto forgotten = simulator::once(0, body(false));
  CHECK(forgotten.end == verdict::deadlock);
  CHECK(mentions(forgotten.message, "which has handled the request without answering it"));
  CHECK_FALSE(simulator::once(0, body(true)).is_failure());
}

namespace {

/// Two tasks of the root session that await each other.
void two_tasks(simulator& sim, const simulator::test& also) {
  struct shared {
    task<void> first, second;
  };
  auto both = std::make_shared<shared>();
  both->first = sim.sys().background().spawn([=]() -> async<void> {
    co_await yield();
    co_await both->second;
  });
  both->second = sim.sys().background().spawn([=]() -> async<void> {
    co_await yield();
    co_await both->first;
  });
  also(sim);
  sim.run_until_idle();
  // The body keeps no handle; they keep each other's.
}

struct answer : monitor {
  void expect() { become_hot("an answer to the client"); }
};

} // namespace

TEST_CASE("two tasks that await each other are a deadlock although an actor goes on for ever") {
  auto result = simulator::once(0, [](simulator& sim) { two_tasks(sim, spawn_poller); }, {.max_steps = 5'000});
  CHECK(result.end == verdict::deadlock);
  CHECK(mentions(result.message, "whatever else happens, some of this never completes:"));
  CHECK(mentions(result.message, "deadlock_test.cpp:"));
  CHECK(mentions(result.message, "which in turn awaits it"));
  CHECK(result.steps < 200);
}

TEST_CASE("a deadlock names the monitors that are hot") {
  auto result =
      simulator::once(0, [](simulator& sim) { two_tasks(sim, [](simulator&) { observe<answer>().expect(); }); });
  CHECK(result.end == verdict::deadlock);
  CHECK(mentions(result.message, "a monitor awaits: an answer to the client"));
}
