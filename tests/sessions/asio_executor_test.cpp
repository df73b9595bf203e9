// Asio programs as work of a session: posted functions, coroutines, strands, timers and sockets.
#include "sessions/asio_awaitable.hpp"
#include "sessions/asio_cancellation.hpp"
#include "sessions/asio_executor.hpp"
#include "sessions/asio_timer.hpp"
#include "sessions/guest_system.hpp"
#include "tests/contracts/contract_support.hpp"
#include "tests/sessions/asio_sessions.hpp"
#include <boost/asio.hpp>
#include <doctest/doctest.h>
#include <latch>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace troupe::test {
namespace {

using tcp = asio::ip::tcp;

static_assert(asio::execution::is_executor<asio_executor>::value);
static_assert(asio::can_prefer_v<asio_executor, asio::execution::outstanding_work_t::tracked_t>);
static_assert(std::is_convertible_v<asio_executor, asio::any_io_executor>);
static_assert(sizeof(asio_executor) <= 3 * sizeof(void*), "it fits into any_io_executor without an allocation");

template <class T>
T wait_for(troupe::system& sys, task<T> what) {
  auto end = sys.block_on(std::move(what), 10s);
  REQUIRE(end.index() == 0);
  return std::get<0>(end).take_or_throw({});
}

cleanup_report close(troupe::system& sys, const session& s) { return wait_for(sys, s.close()); }

asio::awaitable<int> double_later(int n) {
  asio::steady_timer timer{co_await asio::this_coro::executor, 2ms};
  co_await timer.async_wait(asio::use_awaitable);
  co_return 2 * n;
}

asio::awaitable<void> wait_for_ever() {
  asio::steady_timer timer{co_await asio::this_coro::executor, 1h};
  co_await timer.async_wait(asio::use_awaitable);
}

} // namespace

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

TEST_CASE("a session waits for a coroutine that was co_spawn'ed in it, and for what that starts while it closes") {
  asio_sessions backend;
  auto& sys = backend.sys();
  auto s = sys.open_session();
  int result = 0;
  auto strand = asio::make_strand(s.get_executor());
  asio::co_spawn(
      strand,
      []() -> asio::awaitable<int> {
        int n = 1;
        for (int i = 0; i < 5; ++i)
          n = co_await double_later(n);
        co_return n;
      },
      [&](std::exception_ptr error, int n) {
        CHECK_FALSE(error);
        result = n;
      });
  CHECK(s.unsettled() > 0);
  auto report = close(sys, s);
  CHECK_MESSAGE(report.is_clean(), report.to_text());
  CHECK(result == 32);
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

TEST_CASE("what a coroutine throws fails its session when nobody else waits for it") {
  asio_sessions backend;
  auto& sys = backend.sys();
  auto s = sys.open_session();
  asio::co_spawn(
      s.get_executor(),
      []() -> asio::awaitable<int> {
        co_await double_later(1);
        throw std::runtime_error{"no such table"};
      },
      or_fail);
  auto report = wait_for(sys, s.closed());
  CHECK(report.outcome == close_outcome::failed);
  CHECK(report.cause == close_cause::task_failed);
  CHECK(report.first_error.find("no such table") != std::string::npos);
}

TEST_CASE("an Asio coroutine as a task has a result, or an exception") {
  asio_sessions backend;
  auto& sys = backend.sys();
  auto s = sys.open_session({.on_failure = failure_policy::collect});
  auto doubled = spawn_awaitable(s, [] { return double_later(21); }, {.name = "doubling"});
  CHECK(doubled.label() == "doubling");
  CHECK(wait_for(sys, std::move(doubled)) == 42);
  auto nothing = spawn_awaitable(s, []() -> asio::awaitable<void> { co_await double_later(1); });
  wait_for(sys, std::move(nothing));
  auto failing = spawn_awaitable(s, []() -> asio::awaitable<int> {
    co_await double_later(1);
    throw std::runtime_error{"no such table"};
  });
  CHECK_THROWS_WITH(wait_for(sys, std::move(failing)), "no such table");
  auto report = close(sys, s);
  CHECK(report.counters.spawned == 3);
  CHECK(report.counters.failed == 1);
  CHECK(report.survivors.empty());
}

TEST_CASE("the cancellation of a task or a session reaches the operation that an Asio coroutine waits for") {
  asio_sessions backend;
  auto& sys = backend.sys();
  auto s = sys.open_session();
  auto first = spawn_awaitable(s, wait_for_ever);
  auto second = spawn_awaitable(s, [] { return wait_for_ever(); }, {.kind = task_kind::daemon});
  std::this_thread::sleep_for(2ms);
  first.cancel();
  auto end = std::get<0>(sys.block_on(std::move(first), 10s));
  CHECK(end.is_cancelled());
  auto report = close(sys, s);
  CHECK_MESSAGE(report.is_clean(), report.to_text());
  CHECK(second.peek().cause() == close_cause::completed);
}

TEST_CASE("a coroutine that goes on after its cancellation is awaited, and keeps its result") {
  asio_sessions backend;
  auto& sys = backend.sys();
  auto s = sys.open_session();
  std::latch started{1};
  auto stubborn = spawn_awaitable(s, [&]() -> asio::awaitable<int> {
    asio::steady_timer timer{co_await asio::this_coro::executor, 1h};
    started.count_down();
    boost::system::error_code error;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    CHECK(error == asio::error::operation_aborted);
    co_await asio::this_coro::reset_cancellation_state();
    co_return co_await double_later(4);
  });
  started.wait();
  stubborn.cancel();
  CHECK(wait_for(sys, std::move(stubborn)) == 8);
  CHECK(close(sys, s).is_clean());
}

TEST_CASE("a cancellation slot of the session ends operations that are in no coroutine") {
  asio_sessions backend;
  auto& sys = backend.sys();
  auto s = sys.open_session();
  struct connection {
    explicit connection(const session& of)
        : strand(asio::make_strand(of.get_executor())), timer(strand, 1h),
          cancellation(of, strand, {.kind = task_kind::daemon, .name = "connection"}) {}
    asio::strand<asio_executor> strand;
    asio::steady_timer timer;
    asio_cancellation cancellation;
  };
  boost::system::error_code ended;
  auto c = std::make_shared<connection>(s);
  asio::post(c->strand, [c, &ended] {
    c->timer.async_wait(asio::bind_cancellation_slot(c->cancellation.slot(), [c, &ended](auto error) {
      ended = error;
      CHECK(c->cancellation.is_cancelled());
    }));
  });
  c.reset();
  std::this_thread::sleep_for(2ms);
  SUBCASE("when it is cancelled") { s.cancel(); }
  SUBCASE("when it closes, for a daemon") {}
  auto report = close(sys, s);
  CHECK_MESSAGE(report.is_clean(), report.to_text());
  CHECK(ended == asio::error::operation_aborted);
}

TEST_CASE("a composed operation runs inside a session: an echo over TCP") {
  asio_sessions backend;
  auto& sys = backend.sys();
  auto server = sys.open_session({.name = "server"});
  auto client = sys.open_session({.name = "client"});
  tcp::acceptor acceptor{server.get_executor(), {asio::ip::address_v4::loopback(), 0}};
  const auto endpoint = acceptor.local_endpoint();
  auto accepting =
      spawn_awaitable(server,
                      [&]() -> asio::awaitable<void> {
                        for (;;) {
                          auto socket = co_await acceptor.async_accept(asio::use_awaitable);
                          auto echo = [socket = std::move(socket)]() mutable -> asio::awaitable<void> {
                            std::string line;
                            for (;;) {
                              auto size = co_await asio::async_read_until(socket, asio::dynamic_buffer(line), '\n',
                                                                          asio::use_awaitable);
                              co_await asio::async_write(socket, asio::buffer(line.data(), size), asio::use_awaitable);
                              line.erase(0, size);
                            }
                          };
                          asio::co_spawn(asio::make_strand(server.get_executor({.name = "echo"})), std::move(echo),
                                         [](std::exception_ptr) {}); // ends with the connection
                        }
                      },
                      {.kind = task_kind::daemon, .name = "accept"});
  auto asked = spawn_awaitable(client, [&]() -> asio::awaitable<std::string> {
    tcp::socket socket{co_await asio::this_coro::executor};
    co_await socket.async_connect(endpoint, asio::use_awaitable);
    std::string answers;
    for (const std::string line : {"one\n", "two\n"}) {
      co_await asio::async_write(socket, asio::buffer(line), asio::use_awaitable);
      std::string answer;
      co_await asio::async_read_until(socket, asio::dynamic_buffer(answer), '\n', asio::use_awaitable);
      answers += answer;
    }
    co_return answers;
  });
  CHECK(wait_for(sys, std::move(asked)) == "one\ntwo\n");
  auto report = close(sys, client);
  CHECK_MESSAGE(report.is_clean(), report.to_text());
  report = close(sys, server);
  CHECK_MESSAGE(report.is_clean(), report.to_text());
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
