// The HTTP server: accepts, keeps the list of connections, and drains; on a strand of its own. No Boost type leaves
// http_*.cpp.
#include "examples/checkout/http_server.hpp"
#include "examples/checkout/http_connection.hpp"
#include "platform/asio_context.hpp"
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <unordered_map>

namespace checkout {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using milliseconds = std::chrono::milliseconds;

namespace {
constexpr milliseconds accept_retry_delay{50}; // No descriptor left: some connection will end.
} // namespace

// The acceptor and the list of connections, on a strand of their own.
struct http_server::shared_state final : http_connection_host, std::enable_shared_from_this<shared_state> {
  explicit shared_state(asio::io_context& io)
      : context(io), strand(asio::make_strand(io)), acceptor(strand), timer(strand) {}

  std::error_code listen() {
    error_code error;
    const auto address = asio::ip::make_address(options.address, error);
    const tcp::endpoint endpoint{address, options.port};
    if (!error)
      acceptor.open(endpoint.protocol(), error);
    if (!error)
      acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error)
      acceptor.bind(endpoint, error);
    if (!error)
      acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error)
      return error;
    port = acceptor.local_endpoint(error).port();
    asio::post(strand, [self = shared_from_this()] { self->accept(); });
    return {};
  }

  void accept() {
    if (is_draining || !acceptor.is_open())
      return;
    is_paused = connections.size() >= options.connection_limit;
    if (is_paused)
      return;
    is_accepting = true;
    acceptor.async_accept(asio::any_io_executor{asio::make_strand(context)},
                          [self = shared_from_this()](error_code error, tcp::socket socket) {
                            self->is_accepting = false;
                            if (!error)
                              self->welcome(std::move(socket));
                            if (error && error != asio::error::operation_aborted)
                              self->accept_later();
                            else
                              self->accept();
                            self->finish_if_drained();
                          });
  }

  void accept_later() {
    timer.expires_after(accept_retry_delay);
    timer.async_wait([self = shared_from_this()](error_code error) {
      if (!error)
        self->accept();
    });
  }

  void welcome(tcp::socket socket) {
    ++count.connections;
    const auto client = make_http_connection(std::move(socket), shared_from_this());
    connections.emplace(client.get(), client);
    client->start();
  }

  void ended(std::shared_ptr<http_connection> which) override {
    // Kept until it is off the list: another connection must not get its address before that.
    asio::post(strand, [self = shared_from_this(), which = std::move(which)] {
      self->connections.erase(which.get());
      if (self->is_paused)
        self->accept();
      self->finish_if_drained();
    });
  }

  void drain(milliseconds patience) {
    is_draining = true;
    // Their clients believe to be connected, so they are served, too.
    error_code error;
    acceptor.non_blocking(true, error);
    while (!error) {
      tcp::socket socket = acceptor.accept(asio::any_io_executor{asio::make_strand(context)}, error);
      if (!error)
        welcome(std::move(socket));
    }
    acceptor.close(error);
    for (const auto& [key, client] : connections)
      if (const auto alive = client.lock())
        alive->drain();
    timer.expires_after(patience);
    timer.async_wait([self = shared_from_this()](error_code failed) {
      if (failed)
        return;
      self->abort_all();
      self->finish();
    });
    finish_if_drained();
  }

  void abort_all() {
    for (const auto& [key, client] : connections)
      if (const auto alive = client.lock())
        alive->abort();
  }

  void finish_if_drained() {
    // A pending accept may have got a connection before the acceptor was closed.
    if (is_draining && !is_accepting && connections.empty())
      finish();
  }

  void finish() {
    timer.cancel();
    if (const auto call = std::exchange(done, nullptr))
      call();
  }

  void close() {
    error_code ignored;
    acceptor.close(ignored);
    timer.cancel();
    abort_all();
  }

  asio::io_context& context;
  asio::strand<asio::io_context::executor_type> strand;
  tcp::acceptor acceptor;
  asio::steady_timer timer; // For accepting again, then for the end of patience.
  // Weak: what keeps a connection alive are its pending operations and the right to answer on it.
  std::unordered_map<http_connection*, std::weak_ptr<http_connection>> connections;
  std::function<void()> done;
  std::uint16_t port = 0;
  bool is_accepting = false;
  bool is_paused = false;
};

http_server::http_server(troupe::platform::dispatcher& dispatcher, http_options options, http_handler handler)
    : state_(std::make_shared<shared_state>(troupe::platform::background_context(dispatcher))) {
  state_->options = std::move(options);
  state_->handler = std::move(handler);
}

http_server::~http_server() {
  asio::post(state_->strand, [state = state_] { state->close(); });
}

std::error_code http_server::listen() { return state_->listen(); }

std::uint16_t http_server::port() const noexcept { return state_->port; }

void http_server::drain(milliseconds patience, std::function<void()> done) {
  asio::post(state_->strand, [state = state_, patience, done = std::move(done)]() mutable {
    state->done = std::move(done);
    state->drain(patience);
  });
}

http_totals http_server::totals() const {
  const auto& count = state_->count;
  return {count.connections, count.requests, count.answers, count.unsent, count.refused, count.cut_off, count.dropped};
}

} // namespace checkout
