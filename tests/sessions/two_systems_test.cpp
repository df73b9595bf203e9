// Two systems in one process, on different dispatchers, whose actors and tasks talk to each other.
#include "actors/ask.hpp"
#include "sessions/guest_system.hpp"
#include "sim/simulator.hpp"
#include "tests/sessions/asio_sessions.hpp"
#include <caf/all.hpp>
#include <condition_variable>
#include <doctest/doctest.h>
#include <mutex>
#include <set>
#include <thread>

using namespace std::chrono_literals;

namespace troupe::test {
namespace {

/// Lets the main thread sleep until the guest asks for it.
class alarm_clock {
public:
  void ring() {
    std::lock_guard guard{mutex_};
    rung_ = true;
    changed_.notify_one();
  }
  void sleep_until(platform::time_point end) {
    std::unique_lock lock{mutex_};
    changed_.wait_until(lock, end, [this] { return rung_; });
    rung_ = false;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool rung_ = false;
};

/// A guest in the main thread, and a pool beside it.
struct two_systems {
  alarm_clock alarm;
  troupe::system pool{{.background_threads = 2}};
  guest_system guest{{.wake_up = [this] { alarm.ring(); }}};
  const std::thread::id here = std::this_thread::get_id();

  /// The host's loop.
  bool poll_until(const std::function<bool()>& done) {
    for (const auto give_up = platform::clock::now() + 20s; !done();) {
      const auto now = platform::clock::now();
      if (now >= give_up)
        return false;
      guest.poll();
      if (!done())
        alarm.sleep_until(std::min(guest.next_deadline().value_or(now + 20ms), now + 20ms));
    }
    return true;
  }
};

/// Counts handlers that run on another thread than it should.
struct place {
  std::thread::id guest_thread;
  bool is_guest;
  std::atomic<int>& misplaced;
  void check() const { misplaced += (std::this_thread::get_id() == guest_thread) != is_guest; }
};

caf::behavior doubler(caf::event_based_actor*, place at) {
  return {[=](int n) {
            at.check();
            return 2 * n;
          },
          [=](const std::string&) -> caf::result<int> {
            at.check();
            return caf::sec::invalid_argument;
          }};
}

/// Passes a number back and forth with another actor until it is 0, and then tells `done`.
caf::behavior player(caf::event_based_actor* self, place at, std::atomic<int>* played) {
  return {[=](const caf::actor& other, int left) {
    at.check();
    ++*played;
    if (left > 0)
      self->send(other, caf::actor_cast<caf::actor>(self), left - 1);
  }};
}

} // namespace

TEST_CASE("actors of two systems send to each other, and each one runs where its own system runs") {
  std::atomic<int> misplaced = 0;
  std::atomic<int> pool_played = 0, guest_played = 0;
  two_systems two;
  auto a = two.pool.caf().spawn(player, place{two.here, false, misplaced}, &pool_played);
  auto b = two.guest.caf().spawn(player, place{two.here, true, misplaced}, &guest_played);
  caf::anon_send(a, b, 2'000);
  CHECK(two.poll_until([&] { return pool_played + guest_played == 2'001; }));
  CHECK(pool_played == 1'001);
  CHECK(misplaced == 0);
}

TEST_CASE("actors of two systems request from each other: replies, errors and timeouts") {
  std::atomic<int> misplaced = 0, done = 0;
  two_systems two;
  auto far = two.pool.caf().spawn(doubler, place{two.here, false, misplaced});
  auto near = two.guest.caf().spawn(doubler, place{two.here, true, misplaced});
  auto asker = [&done](caf::event_based_actor* self, place at, caf::actor other) -> caf::behavior {
    self->request(other, 10s, 21).then([at, &done](int twice) {
      at.check();
      done += twice == 42;
    });
    self->request(other, 10s, std::string{"?"})
        .then([](int) {},
              [at, &done](const caf::error& error) {
                at.check();
                done += error == caf::sec::invalid_argument;
              });
    return {[](int) {}};
  };
  two.guest.caf().spawn(asker, place{two.here, true, misplaced}, far);
  two.pool.caf().spawn(asker, place{two.here, false, misplaced}, near);
  CHECK(two.poll_until([&] { return done == 4; }));
  // The guest is not polled meanwhile, and the pool's clock times the request.
  std::atomic<bool> timed_out = false;
  two.pool.caf().spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->request(near, 5ms, 1)
        .then([](int) {}, [&](const caf::error& e) { timed_out = e == caf::sec::request_timeout; });
    return {[](int) {}};
  });
  for (int i = 0; i < 2'000 && !timed_out; ++i)
    std::this_thread::sleep_for(1ms);
  CHECK(timed_out);
  CHECK(misplaced == 0);
}

TEST_CASE("tasks of one system ask actors of the other, both ways, and one task asks both") {
  std::atomic<int> misplaced = 0;
  two_systems two;
  auto far = two.pool.caf().spawn(doubler, place{two.here, false, misplaced});
  auto near = two.guest.caf().spawn(doubler, place{two.here, true, misplaced});
  auto quadruple = [far, near](place at) -> async<int> {
    int n = 1;
    for (int i = 0; i < 20; ++i) {
      n = *co_await ask<int>(far, 10s, 3);
      at.check();
      n = *co_await ask<int>(near, 10s, n);
      at.check();
    }
    co_return n;
  };
  auto in_pool = two.pool.open_session();
  auto in_guest = two.guest.open_session();
  auto first = in_pool.spawn([&] { return quadruple(place{two.here, false, misplaced}); });
  auto second = in_guest.spawn([&] { return quadruple(place{two.here, true, misplaced}); });
  CHECK(two.poll_until([&] { return first.is_ready() && second.is_ready(); }));
  CHECK(first.take() == 12);
  CHECK(second.take() == 12);
  auto pool_closed = in_pool.close();
  auto guest_closed = in_guest.close();
  CHECK(two.poll_until([&] { return pool_closed.is_ready() && guest_closed.is_ready(); }));
  CHECK(pool_closed.take().is_clean());
  CHECK(guest_closed.take().is_clean());
  CHECK(misplaced == 0);
}

TEST_CASE("handles of two systems' actors are never equal, although their numbers are") {
  two_systems two;
  std::set<caf::actor> all;
  std::set<caf::actor_id> numbers;
  for (int i = 0; i < 20; ++i)
    for (auto* caf : {&two.pool.caf(), &two.guest.caf()}) {
      auto actor = caf->spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; });
      all.insert(actor);
      numbers.insert(actor->id());
    }
  CHECK(all.size() == 40);
  CHECK(numbers.size() < 40);
}

TEST_CASE("a monitor and a link reach into the other system") {
  std::atomic<int> misplaced = 0, downs = 0, exits = 0;
  two_systems two;
  auto mortal = [](caf::event_based_actor* self) -> caf::behavior {
    return {[=](int) { self->quit(caf::sec::runtime_error); }};
  };
  for (bool watcher_is_guest : {false, true}) {
    auto& home = watcher_is_guest ? static_cast<troupe::system&>(two.guest) : two.pool;
    auto& other = watcher_is_guest ? two.pool : static_cast<troupe::system&>(two.guest);
    const place at{two.here, watcher_is_guest, misplaced};
    auto watched = other.caf().spawn(mortal);
    auto linked = other.caf().spawn(mortal);
    std::atomic<bool> ready = false;
    auto watcher = home.caf().spawn([&, at, watched, linked](caf::event_based_actor* self) -> caf::behavior {
      self->set_down_handler([=, &downs](const caf::down_msg& down) {
        at.check();
        downs += down.source == watched && down.reason == caf::sec::runtime_error;
      });
      self->set_exit_handler([=, &exits](const caf::exit_msg& exit) {
        at.check();
        exits += exit.source == linked && exit.reason == caf::sec::runtime_error; // and lives on
      });
      self->monitor(watched);
      self->link_to(linked);
      ready = true;
      return {[](int) {}};
    });
    REQUIRE(two.poll_until([&] { return ready.load(); }));
    caf::anon_send(watched, 1);
    caf::anon_send(linked, 1);
    CHECK(two.poll_until([&] { return downs == 1 && exits == 1; }));
    downs = exits = 0;
  }
  CHECK(misplaced == 0);
}

TEST_CASE("an actor that its session has ended answers for itself after its system has gone: it is down") {
  asio_sessions backend;
  auto& pool = backend.sys();
  auto s = pool.open_session();
  std::atomic<int> misplaced = 0;
  caf::actor gone;
  caf::error after;
  {
    guest_system guest;
    gone = guest.caf().spawn(doubler, place{std::this_thread::get_id(), true, misplaced});
    auto owner = guest.open_session();
    REQUIRE(!owner.own(gone, "doubler"));
    auto asks = s.spawn([&]() -> async<int> { co_return *co_await ask<int>(gone, 10s, 4); });
    while (!asks.is_ready())
      guest.poll();
    CHECK(asks.take() == 8);
  }
  auto asks = s.spawn([&]() -> async<void> { after = (co_await ask<int>(gone, 10s, 4)).error(); });
  CHECK(pool.block_on(std::move(asks)).has_value());
  CHECK(after == caf::sec::request_receiver_down);
  CHECK(pool.block_on(s.close())->is_clean());
}

TEST_CASE("an actor that is still referred to when its system goes ends with the next message, and says so") {
  asio_sessions backend;
  auto& pool = backend.sys();
  std::atomic<int> misplaced = 0;
  caf::actor left, forgotten;
  {
    guest_system guest;
    const place at{std::this_thread::get_id(), true, misplaced};
    left = guest.caf().spawn(doubler, at);
    forgotten = guest.caf().spawn(doubler, at);
    guest.poll();
  }
  auto asks = pool.root().spawn([&]() -> async<caf::error> { co_return (co_await ask<int>(left, 10s, 4)).error(); });
  const auto why = *pool.block_on(std::move(asks));
  CHECK((why == caf::sec::request_receiver_down || why == caf::exit_reason::kill)); // CAF 1.0: why it ended
  forgotten = nullptr;
  CHECK(misplaced == 0);
}

TEST_CASE("a simulated system meets no other: a message of an actor that leaves it ends the run") {
  guest_system guest;
  std::atomic<int> misplaced = 0;
  auto outside = guest.caf().spawn(doubler, place{std::this_thread::get_id(), true, misplaced});
  guest.poll();
  SUBCASE("from an actor") {
    auto end = simulator::once(1, [&](simulator& sim) {
      sim.caf().spawn([&](caf::event_based_actor* self) -> caf::behavior {
        self->send(outside, 1);
        return {[](int) {}};
      });
      sim.run_until_idle();
    });
    CHECK(end.end == verdict::foreign_thread);
    CHECK_MESSAGE(end.message.find("an actor of another system") != std::string::npos, end.message);
  }
  SUBCASE("but to a task that asks, the receiver is down") {
    caf::error answer;
    auto end = simulator::once(1, [&](simulator& sim) {
      auto asked = sim.root().spawn([&]() -> async<void> { answer = (co_await ask<int>(outside, 1s, 1)).error(); });
      sim.block_on(std::move(asked));
    });
    CHECK_MESSAGE(!end.is_failure(), end.message);
    CHECK(answer == caf::sec::request_receiver_down);
  }
  guest.poll(); // the receiver answers whoever has sent it something
}

} // namespace troupe::test
