// The executor of a session: posted functions, what becomes of them when the session ends, guests, timers.
#include "sessions/asio_awaitable.hpp"
#include "sessions/asio_cancellation.hpp"
#include "sessions/asio_executor.hpp"
#include "sessions/asio_timer.hpp"
#include "sessions/guest_system.hpp"
#include "tests/contracts/contract_support.hpp"
#include "tests/sessions/asio_coroutines.hpp"
#include "tests/sessions/asio_sessions.hpp"
#include <boost/asio.hpp>
#include <doctest/doctest.h>
#include <latch>

namespace troupe::test {

static_assert(asio::execution::is_executor<asio_executor>::value);
static_assert(asio::can_prefer_v<asio_executor, asio::execution::outstanding_work_t::tracked_t>);
static_assert(std::is_convertible_v<asio_executor, asio::any_io_executor>);
static_assert(sizeof(asio_executor) <= 3 * sizeof(void*), "it fits into any_io_executor without an allocation");

TEST_CASE("a posted function is a task of the session, with the line of get_executor as its spawn site") {
  asio_sessions backend;
  auto& sys = backend.sys();
  auto s = sys.open_session({.name = "posting", .grace = 1ms, .shutdown_budget = 200ms});
  std::latch running{1}, go{1};
  session seen;
  auto executor = s.get_executor({.name = "posted"}); // <- the spawn site
  const int line = __LINE__ - 1;
  asio::post(executor, [&] {
    seen = current_session();
    CHECK(executor.running_in_this_thread());
    running.count_down();
    go.wait();
  });
  CHECK_FALSE(executor.running_in_this_thread());
  running.wait();
  CHECK(s.unsettled() == 1);
  CHECK(s.validate_cleanup() == errc::not_clean);
  auto report = s.report();
  REQUIRE(report.survivors.size() == 1);
  CHECK(report.survivors[0].name == "posted");
  CHECK(report.survivors[0].spawned_at.find("asio_executor_test.cpp:" + std::to_string(line)) != std::string::npos);
  go.count_down();
  CHECK(close(sys, s).is_clean());
  CHECK(seen == s);
}

TEST_CASE("what a posted function throws fails the session, also out of a function that runs inline in it") {
  asio_sessions backend;
  auto& sys = backend.sys();
  for (bool inline_too : {false, true}) {
    auto s = sys.open_session();
    bool went_on = false;
    asio::post(s.get_executor(), [&, executor = s.get_executor()] {
      if (!inline_too)
        throw std::runtime_error{"posted"};
      bool ran = false;
      asio::dispatch(executor, [&] {
        ran = true;
        throw std::runtime_error{"posted"};
      });
      went_on = ran; // it ran inside the call, and its exception stayed there
    });
    auto report = wait_for(sys, s.closed());
    CHECK(report.outcome == close_outcome::failed);
    CHECK(report.first_error.find("posted") != std::string::npos);
    CHECK(went_on == inline_too);
  }
}

TEST_CASE("post and defer never run inside the call, dispatch does when it is inside already") {
  asio_sessions backend;
  auto& sys = backend.sys();
  auto s = sys.open_session();
  std::atomic<bool> done = false;
  asio::post(s.get_executor(), [&, executor = asio::any_io_executor{s.get_executor()}] {
    const auto here = std::this_thread::get_id();
    int order = 0;
    asio::dispatch(executor, [&] { CHECK(std::exchange(order, 1) == 0); });
    CHECK(order == 1);
    std::atomic<bool> left = false;
    std::latch both{2};
    for (auto submit : {0, 1}) {
      auto work = [&] {
        CHECK((left || std::this_thread::get_id() != here));
        both.count_down();
      };
      submit ? asio::post(executor, work) : asio::defer(executor, work);
    }
    both.wait(); // two threads: the other one runs them
    left = true;
    done = true;
  });
  CHECK(close(sys, s).is_clean());
  CHECK(done);
}

TEST_CASE("after the close a function object is destroyed within the call, and counted") {
  asio_sessions backend;
  auto& sys = backend.sys();
  auto s = sys.open_session();
  asio::any_io_executor executor = s.get_executor();
  auto strand = asio::make_strand(executor);
  CHECK(close(sys, s).is_clean());
  auto token = std::make_shared<int>();
  bool ran = false;
  asio::post(executor, [&, token] { ran = true; });
  CHECK(token.use_count() == 1);
  asio::co_spawn(
      executor,
      [&, token]() -> asio::awaitable<void> {
        ran = true;
        co_return;
      },
      asio::detached);
  CHECK(token.use_count() == 1);
  asio::post(asio::prefer(executor, asio::execution::outstanding_work.tracked), [&, token] { ran = true; });
  CHECK(token.use_count() == 1);
  CHECK(s.report().counters.rejected >= 3); // the coroutine is refused to start, and to unwind on the executor
  CHECK_FALSE(ran);
  auto refused = spawn_awaitable(s, [&]() -> asio::awaitable<void> {
    ran = true;
    co_return;
  });
  CHECK(refused.error() == errc::session_closed);
  asio_cancellation cancellation{s, strand};
  CHECK(cancellation.error() == errc::session_closed);
  CHECK_FALSE(ran);
}

TEST_CASE("a function object that was accepted runs, also if its session is cancelled first") {
  asio_sessions backend;
  auto& sys = backend.sys();
  auto s = sys.open_session();
  int ran = 0;
  for (int i = 0; i < 5; ++i)
    asio::post(s.get_executor({.on = &sys.foreground()}), [&] { ++ran; }); // nobody runs the foreground lane yet
  s.cancel();
  auto report = close(sys, s);
  CHECK(ran == 5);
  CHECK(report.counters.ok == 5);
  CHECK_MESSAGE(report.survivors.empty(), report.to_text());
}

TEST_CASE("an executor may outlive its system, and refuses everything") {
  asio::any_io_executor executor;
  session s;
  {
    asio_sessions backend;
    s = backend.sys().open_session();
    executor = s.get_executor();
  }
  bool ran = false;
  asio::post(executor, [&] { ran = true; });
  auto tracked = asio::prefer(executor, asio::execution::outstanding_work.tracked);
  asio::post(tracked, [&] { ran = true; });
  CHECK_FALSE(ran);
}

TEST_CASE("while a session drains, its Asio work goes on, and what is submitted from outside does not harm it") {
  asio_sessions backend;
  auto& sys = backend.sys();
  auto s = sys.open_session();
  auto strand = asio::make_strand(s.get_executor());
  std::atomic<int> beats = 0;
  asio::co_spawn(
      strand,
      [&]() -> asio::awaitable<void> {
        asio::steady_timer timer{co_await asio::this_coro::executor};
        while (beats < 5) {
          timer.expires_after(2ms);
          co_await timer.async_wait(asio::use_awaitable);
          ++beats;
        }
      },
      or_fail);
  auto closed = s.close();
  bool ran = false;
  asio::post(strand, [&] { ran = true; });
  auto report = wait_for(sys, std::move(closed));
  CHECK_MESSAGE(report.is_clean(), report.to_text());
  CHECK(beats == 5);
  CHECK(ran);
}

TEST_CASE("an operation that never ends is named in the report, and its handler is destroyed, not run") {
  auto token = std::make_shared<int>();
  bool ran = false;
  {
    asio_sessions backend;
    auto& sys = backend.sys();
    auto s = sys.open_session({.name = "stuck", .grace = 5ms, .shutdown_budget = 40ms});
    asio::steady_timer timer{s.get_executor({.name = "long wait"}), 1h};
    timer.async_wait([&, token](auto) { ran = true; });
    auto report = close(sys, s);
    CHECK(report.outcome == close_outcome::dirty);
    REQUIRE(report.survivors.size() >= 1);
    CHECK(report.survivors[0].name == "long wait");
    CHECK(report.survivors[0].kept_alive_by == "an Asio operation or coroutine");
    CHECK(report.survivors[0].verdict == survivor_verdict::waiting_other);
    CHECK(report.survivors[0].spawned_at.find("asio_executor_test.cpp:") != std::string::npos);
    timer.cancel();
  }
  CHECK(token.use_count() == 1);
  CHECK_FALSE(ran);
}

TEST_CASE("work on the foreground executor runs on the main thread") {
  asio_sessions backend;
  auto& sys = backend.sys();
  auto s = sys.open_session();
  const auto here = std::this_thread::get_id();
  int here_count = 0;
  auto waited = spawn_awaitable(s,
                                [&]() -> asio::awaitable<void> {
                                  for (int i = 0; i < 3; ++i) {
                                    here_count += std::this_thread::get_id() == here;
                                    co_await double_later(1);
                                  }
                                },
                                {.on = &sys.foreground()});
  wait_for(sys, std::move(waited));
  CHECK(here_count == 3);
  CHECK(close(sys, s).is_clean());
}

TEST_CASE("a guest's session drives Asio, too: its functions run in poll, and Asio waits on a thread of its own") {
  guest_system sys;
  const auto here = std::this_thread::get_id();
  auto s = sys.open_session();
  int here_count = 0;
  auto doubled = spawn_awaitable(s, [&]() -> asio::awaitable<int> {
    auto n = co_await double_later(21);
    here_count += std::this_thread::get_id() == here;
    co_return n;
  });
  CHECK(wait_for(sys, std::move(doubled)) == 42);
  CHECK(here_count == 1);
  CHECK(close(sys, s).is_clean());
  // One that is left behind goes with the system.
  auto stuck = sys.open_session({.grace = 1ms, .shutdown_budget = 10ms});
  asio::co_spawn(stuck.get_executor(), wait_for_ever, asio::detached);
  sys.poll();
  CHECK(close(sys, stuck).outcome == close_outcome::dirty);
}

TEST_CASE("an Asio timer on the dispatcher's clock expires, and is cancelled by hand and by its slot") {
  asio_sessions backend;
  auto& sys = backend.sys();
  auto s = sys.open_session();
  auto waited = spawn_awaitable(s, [&]() -> asio::awaitable<void> {
    asio_timer timer{s, 1ms};
    const auto due = timer.expiry();
    co_await timer.async_wait(asio::use_awaitable);
    CHECK(sys.dispatcher().now() >= due);
    timer.expires_after(1h);
    asio::post(co_await asio::this_coro::executor, [&] { CHECK(timer.cancel() == 1); });
    boost::system::error_code error;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    CHECK(error == asio::error::operation_aborted);
  });
  wait_for(sys, std::move(waited));
  std::latch started{1};
  auto cancelled = spawn_awaitable(s, [&]() -> asio::awaitable<void> {
    asio_timer timer{s, 1h};
    started.count_down();
    co_await timer.async_wait(asio::use_awaitable);
  });
  started.wait();
  cancelled.cancel();
  CHECK(std::get<0>(sys.block_on(std::move(cancelled), 10s)).is_cancelled());
  auto report = close(sys, s);
  CHECK_MESSAGE(report.is_clean(), report.to_text());
}

} // namespace troupe::test
