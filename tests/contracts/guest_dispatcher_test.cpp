// The guest dispatcher keeps the contract, and its host is asked to poll exactly when it has to.
#include "platform/guest_dispatcher.hpp"
#include "tests/contracts/dispatcher_contract.hpp"
#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#if __has_include(<sys/wait.h>) && !defined(__EMSCRIPTEN__)
#  define TROUPE_TEST_FORKS
#  include <sys/wait.h>
#  include <unistd.h>
#endif

namespace troupe::test {
namespace {

struct guest_backend {
  static constexpr std::size_t threads = 0;
  static constexpr std::size_t threads_per_lane = 0;
  static constexpr bool has_threads = true; // others may dispatch to it
  static constexpr bool is_weighted = true;
  static constexpr bool allocates_nothing = true;

  dispatcher& get() noexcept { return *dispatcher_; }

private:
  std::unique_ptr<platform::guest_dispatcher> dispatcher_ = platform::make_guest_dispatcher();
};

/// A host that counts how often it is asked to poll.
struct host {
  std::atomic<int> asked = 0;
  std::unique_ptr<platform::guest_dispatcher> guest =
      platform::make_guest_dispatcher({.wake_up = [this] { ++asked; }, .may_block = false});
};

} // namespace
} // namespace troupe::test

TYPE_TO_STRING(troupe::test::guest_backend);

namespace troupe::test {

TROUPE_DISPATCHER_CONTRACT(guest_backend);

TEST_CASE("a host is asked to poll once, when the first work comes, and again when a poll leaves some") {
  host h;
  CHECK_FALSE(h.guest->next_deadline());
  std::deque<job> jobs;
  for (int i = 0; i < 5; ++i)
    REQUIRE_FALSE(h.guest->dispatch(i % 2 ? background_lane : foreground_lane, jobs.emplace_back(), priority::normal));
  CHECK(h.asked == 1);
  CHECK(*h.guest->next_deadline() <= h.guest->now());
  CHECK(h.guest->poll(3) == 3);
  CHECK(h.asked == 2);
  CHECK(h.guest->poll(100) == 2);
  CHECK(h.asked == 2);
  CHECK_FALSE(h.guest->next_deadline());
  CHECK(h.guest->poll(100) == 0);
}

TEST_CASE("a budget bounds a poll although its work makes more of itself") {
  host h;
  job* self = nullptr;
  job endless{[&] { static_cast<void>(h.guest->dispatch(background_lane, *self, priority::normal)); }};
  self = &endless;
  REQUIRE_FALSE(h.guest->dispatch(background_lane, endless, priority::normal));
  CHECK(h.guest->poll(7) == 7);
  CHECK(endless.runs() == 7);
  CHECK(h.asked == 2);
  h.guest.reset(); // drops it
}

TEST_CASE("a host is asked to poll when a timer comes first, and only then") {
  job first, second; // what is pending in the end is dropped
  host h;
  REQUIRE(h.guest->dispatch_after(1h, background_lane, first, priority::normal));
  CHECK(h.asked == 1);
  CHECK(h.guest->poll(10) == 0);
  auto due = *h.guest->next_deadline();
  CHECK(due > h.guest->now() + 59min);
  auto later = h.guest->dispatch_after(2h, background_lane, second, priority::normal);
  CHECK(h.asked == 1);
  CHECK(*h.guest->next_deadline() == due);
  REQUIRE(h.guest->cancel(later));
  auto soon = h.guest->dispatch_after(1min, background_lane, second, priority::normal);
  CHECK(h.asked == 2);
  CHECK(*h.guest->next_deadline() < due);
  REQUIRE(h.guest->cancel(soon));
}

TEST_CASE("where a host's loop must not stand still, blocking is refused at the call") {
  host h;
  latch done;
  CHECK(is(h.guest->block_until(done, {}), dispatch_errc::cannot_block));
  std::error_code elsewhere = make_error_code(dispatch_errc::stopped);
  std::thread other{[&] { elsewhere = h.guest->block_until(done, {}); }};
  job work{[&] { done.release(); }};
  REQUIRE_FALSE(h.guest->dispatch(foreground_lane, work, priority::normal));
  h.guest->poll(1);
  other.join();
  CHECK_FALSE(elsewhere);
  CHECK_FALSE(h.guest->block_until(done, {}));
}

TEST_CASE("another thread's work asks the host to poll, and its stop waits for the host") {
  host h;
  std::atomic<bool> stopped = false;
  job work;
  std::thread other{[&] {
    CHECK_FALSE(h.guest->dispatch(foreground_lane, work, priority::normal));
    CHECK(h.guest->stop(20s));
    stopped = true;
  }};
  // Not polled before: what comes during a poll is seen by that one, and nobody is asked.
  const auto patience = h.guest->now() + 20s;
  while (h.asked == 0 && h.guest->now() < patience)
    std::this_thread::yield();
  CHECK(h.asked == 1);
  while (!stopped) {
    h.guest->poll(10);
    std::this_thread::yield();
  }
  other.join();
  CHECK(work.runs() == 1);
}

#ifdef TROUPE_TEST_FORKS

/// How a child process that does `what` ends, and what it says.
std::pair<int, std::string> in_child(const std::function<void()>& what) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const auto child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], 2);
    std::signal(SIGABRT, SIG_DFL);
    what();
    _exit(0);
  }
  close(ends[1]);
  std::string said;
  char bytes[256];
  for (ssize_t count = 0; (count = read(ends[0], bytes, sizeof bytes)) > 0;)
    said.append(bytes, static_cast<std::size_t>(count));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFSIGNALED(status) ? WTERMSIG(status) : 0, said};
}

TEST_CASE("a poll on the wrong thread, and a wake-up that throws, end the program and say why") {
  std::unique_ptr<platform::guest_dispatcher> elsewhere;
  std::thread maker{[&] { elsewhere = platform::make_guest_dispatcher(); }};
  maker.join();
  auto polled = in_child([&] { elsewhere->poll(1); });
  CHECK(polled.first == SIGABRT);
  CHECK(polled.second == "troupe: bug: a guest was polled on another thread than the one that made it\n");
  auto throws = platform::make_guest_dispatcher({.wake_up = [] { throw std::runtime_error{"no window"}; }});
  job work;
  auto woken = in_child([&] { static_cast<void>(throws->dispatch(background_lane, work, priority::normal)); });
  CHECK(woken.first == SIGABRT);
  CHECK(woken.second == "troupe: bug: a guest has a wake_up that threw: no window\n");
}

#endif

TEST_CASE("a poll after the stop runs nothing, and nothing is taken any more") {
  host h;
  job work;
  CHECK(h.guest->stop(1ms));
  CHECK(is(h.guest->dispatch(background_lane, work, priority::normal), dispatch_errc::stopped));
  CHECK_FALSE(h.guest->dispatch_after(1ms, foreground_lane, work, priority::normal));
  CHECK_FALSE(h.guest->next_deadline());
  CHECK(h.guest->poll(10) == 0);
  CHECK(h.asked == 0);
  CHECK(work.runs() + work.drops() == 0);
}

TEST_CASE("a host that never polls again loses nothing: foreground work is dropped on the main thread") {
  std::thread::id dropped_on;
  job work{{}, [&] { dropped_on = std::this_thread::get_id(); }};
  {
    host h;
    REQUIRE_FALSE(h.guest->dispatch(foreground_lane, work, priority::normal));
    std::thread other{[&] { CHECK_FALSE(h.guest->stop(1ms)); }};
    other.join();
    CHECK(work.drops() == 0);
  }
  CHECK(work.runs() == 0);
  CHECK(work.drops() == 1);
  CHECK(dropped_on == std::this_thread::get_id());
}

} // namespace troupe::test
