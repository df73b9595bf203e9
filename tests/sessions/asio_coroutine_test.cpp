// Asio's coroutines and composed operations as work of a session: results, failures, cancellation.
#include "sessions/asio_awaitable.hpp"
#include "sessions/asio_cancellation.hpp"
#include "sessions/asio_executor.hpp"
#include "tests/sessions/asio_coroutines.hpp"
#include "tests/sessions/asio_sessions.hpp"
#include <boost/asio.hpp>
#include <doctest/doctest.h>
#include <latch>

namespace troupe::test {

using tcp = asio::ip::tcp;

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

} // namespace troupe::test
