// A CAF actor system wholly on the Asio dispatcher: its threads, its timers, its end.
#include "actors/caf_compat.hpp"
#include "actors/caf_runtime.hpp"
#include "platform/asio_dispatcher.hpp"
#include "tests/support/this_process.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <set>
#include <thread>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// A host on two threads. The dispatcher stops before the actor system ends.
struct asio_host {
  ~asio_host() { CHECK(dispatcher->stop(10s)); }
  std::unique_ptr<platform::dispatcher> dispatcher = platform::make_asio_dispatcher({.thread_count = 2});
  std::unique_ptr<caf_host> host = std::make_unique<caf_host>(*dispatcher, host_options{});

  caf::actor_system& caf() { return host->caf(); }
  void wait(platform::latch& done) { REQUIRE_FALSE(dispatcher->block_until(done, dispatcher->now() + 20s)); }
};

} // namespace

TEST_CASE("actors run on the dispatcher's threads, and there are no others") {
  std::thread{[] {}}.join(); // a sanitizer starts a thread of its own with the first one
  auto before = testing::thread_count();
  {
    asio_host on;
    std::mutex mutex;
    std::set<std::thread::id> seen;
    platform::latch done;
    auto ponger = on.caf().spawn([&](caf::event_based_actor*) -> caf::behavior {
      return {[&](int value) {
        std::lock_guard guard{mutex};
        seen.insert(std::this_thread::get_id());
        return value + 1;
      }};
    });
    auto pinger = on.caf().spawn([&, ponger](caf::event_based_actor* self) -> caf::behavior {
      self->send(ponger, 0);
      return {[&, self, ponger](int value) {
                if (value < 10'000)
                  self->send(ponger, value);
                else
                  self->delayed_send(self, 5ms, caf::ok_atom{});
              },
              [&](caf::ok_atom) { done.release(); }};
    });
    on.wait(done);
    CHECK(testing::thread_count_becomes(before + on.dispatcher->thread_count() + testing::asio_timer_threads +
                                        threads_of_caf));
    std::lock_guard guard{mutex};
    CHECK(seen.size() <= 2);
    CHECK_FALSE(seen.count(std::this_thread::get_id()));
  }
  CHECK(testing::thread_count_becomes(before));
}

TEST_CASE("many actors are created, talk and end") {
  asio_host on;
  constexpr int pairs = 2000;
  platform::latch done;
  std::atomic<int> left = pairs;
  for (int i = 0; i < pairs; ++i) {
    auto echo =
        on.caf().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int value) { return value; }}; });
    on.caf().spawn([&, echo](caf::event_based_actor* self) {
      self->request(echo, caf::infinite, 1).then([&, self, echo](int) {
        self->send_exit(echo, caf::exit_reason::user_shutdown);
        if (left.fetch_sub(1) == 1)
          done.release();
      });
    });
  }
  on.wait(done);
}

TEST_CASE("an actor system ends although actors still live, hold each other, and wait for timers") {
  asio_host on;
  platform::latch done;
  auto a = on.caf().spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->delayed_send(self, 1h, 1);
    return {[=](const caf::actor& peer) { self->become([peer](int) {}); }};
  });
  auto b = on.caf().spawn([&, a](caf::event_based_actor* self) -> caf::behavior {
    self->send(a, caf::actor{self});
    done.release();
    return {[a](int) {}};
  });
  on.wait(done);
  caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(b, caf::exit_reason::user_shutdown);
}

TEST_CASE("actors with messages left end without handling them, and their state is destroyed") {
  struct held {
    held() : latch(nullptr) {}
    ~held() {
      if (latch)
        latch->release();
    }
    platform::latch* latch;
  };
  platform::latch destroyed, busy;
  int handled = 0;
  {
    asio_host on;
    auto a = on.caf().spawn([&](caf::stateful_actor<held>* self) -> caf::behavior {
      state_of(*self).latch = &destroyed;
      return {[&, self](int) {
        if (++handled == 5)
          busy.release();
        self->send(self, 1);
      }};
    });
    caf::anon_send(a, 1);
    on.wait(busy);
    CHECK(on.dispatcher->stop(10s)); // a resumed actor is refused its next turn
    handled = 0;
  }
  CHECK(destroyed.is_released());
  CHECK(handled == 0);
}

TEST_CASE("a request that is answered leaves no timeout that pins the requester") {
  asio_host on;
  platform::latch ended;
  struct ends {
    platform::latch* latch;
    ~ends() { latch->release(); }
  };
  auto echo =
      on.caf().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int value) { return value; }}; });
  on.caf().spawn([echo, held = std::shared_ptr<ends>(new ends{&ended})](caf::event_based_actor* self) {
    self->request(echo, 60min, 1).then([held](int) {});
  });
  on.wait(ended);
  caf::anon_send_exit(echo, caf::exit_reason::user_shutdown);
}
