// An echo server whose connections are Asio coroutines: each one is a task of a session, and none is lost at the end.
#include "sessions/asio_awaitable.hpp"
#include "troupe.hpp"
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <iostream>
#include <string>

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

/// Plain Asio: it knows nothing of Troupe. Ends when the peer has closed, or with `operation_aborted`.
asio::awaitable<void> echo(tcp::socket socket) {
  std::string line;
  for (;;) {
    boost::system::error_code ended;
    const auto size = co_await asio::async_read_until(socket, asio::dynamic_buffer(line), '\n',
                                                      asio::redirect_error(asio::use_awaitable, ended));
    if (ended == asio::error::eof)
      co_return;
    if (ended)
      throw boost::system::system_error{ended};
    co_await asio::async_write(socket, asio::buffer(line.data(), size), asio::use_awaitable);
    line.erase(0, size);
  }
}

/// A daemon: the first to be cancelled when its session closes.
asio::awaitable<void> accept_all(tcp::acceptor& acceptor, troupe::session connections) {
  for (;;) {
    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
    troupe::spawn_awaitable(connections, [socket = std::move(socket)]() mutable { return echo(std::move(socket)); },
                            {.name = "connection"})
        .detach();
  }
}

asio::awaitable<std::string> ask(tcp::endpoint server, std::string line) {
  tcp::socket socket{co_await asio::this_coro::executor};
  co_await socket.async_connect(server, asio::use_awaitable);
  co_await asio::async_write(socket, asio::buffer(line), asio::use_awaitable);
  std::string answer;
  co_await asio::async_read_until(socket, asio::dynamic_buffer(answer), '\n', asio::use_awaitable);
  co_return answer;
}

/// A client that connects and says nothing, until the server hangs up.
asio::awaitable<void> idle(tcp::endpoint server) {
  tcp::socket socket{co_await asio::this_coro::executor};
  co_await socket.async_connect(server, asio::use_awaitable);
  char byte = 0;
  boost::system::error_code ended;
  co_await asio::async_read(socket, asio::buffer(&byte, 1), asio::redirect_error(asio::use_awaitable, ended));
}

} // namespace

int main() {
  troupe::system sys;
  auto server = sys.open_session({.name = "server", .on_close = troupe::join_mode::cancel});
  tcp::acceptor acceptor{server.get_executor(), {asio::ip::address_v4::loopback(), 0}};
  const auto endpoint = acceptor.local_endpoint();
  troupe::spawn_awaitable(server, [&] { return accept_all(acceptor, server); },
                          {.kind = troupe::task_kind::daemon, .name = "accept"})
      .detach();

  auto clients = sys.open_session({.name = "clients", .on_close = troupe::join_mode::cancel});
  auto answer = troupe::spawn_awaitable(clients, [&] { return ask(endpoint, "hello\n"); });
  std::cout << "answer: " << *sys.block_on(std::move(answer));
  auto silent = troupe::spawn_awaitable(clients, [&] { return idle(endpoint); }, {.name = "idle"});

  // Nobody has to remember the connections: closing the sessions cancels what they wait for.
  const auto served = sys.block_on(server.close());
  const auto asked = sys.block_on(clients.close());
  std::cout << "server closed " << to_string(served->outcome) << ", clients closed " << to_string(asked->outcome)
            << '\n';
  return served->is_clean() && asked->is_clean() ? 0 : 1;
}
