// One connection: reads requests and writes answers with Boost.Beast, under its limits.
#include "examples/checkout/http_connection.hpp"
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http.hpp>
#include <optional>

namespace checkout {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using milliseconds = std::chrono::milliseconds;

namespace {

constexpr milliseconds linger_timeout{1'000};

// One client. All members are used on the socket's strand, but for `reply`.
class connection final : public http_connection, public std::enable_shared_from_this<connection> {
public:
  connection(tcp::socket socket, std::shared_ptr<http_connection_host> host)
      : socket_(std::move(socket)), timer_(socket_.get_executor()), host_(std::move(host)),
        buffer_(host_->options.header_limit + 64 * 1024) {
    error_code ignored;
    socket_.set_option(tcp::no_delay{true}, ignored); // Else a kept-alive client may wait for a delayed ACK.
  }

  void start() override { post(&connection::await_request); }
  void drain() override { post(&connection::hear_last_call); }
  void abort() override { post(&connection::drop); }

  // From any thread.
  void reply(http_response response, sent_callback sent) {
    asio::post(socket_.get_executor(),
               [self = shared_from_this(), response = std::move(response), sent = std::move(sent)]() mutable {
                 self->write(std::move(response), std::move(sent));
               });
  }

private:
  enum class phase { idle, reading, handling, writing, lingering, closed };

  void post(void (connection::*step)()) {
    asio::post(socket_.get_executor(), [self = shared_from_this(), step] { (self.get()->*step)(); });
  }

  void await_request() {
    if (phase_ == phase::closed)
      return;
    if (buffer_.size() > 0)
      return read_request(); // The client pipelines.
    phase_ = phase::idle;
    arm(host_->is_draining ? host_->options.last_call : host_->options.idle_timeout);
    socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code) { self->on_readable(); });
  }

  void on_readable() {
    if (phase_ == phase::closed)
      return;
    // After a timeout there may yet be something: it came while the timeout was on its way here.
    if (timed_out_ && !has_arrived())
      return close();
    read_request();
  }

  void hear_last_call() {
    if (phase_ == phase::idle)
      arm(host_->options.last_call);
  }

  void read_request() {
    phase_ = phase::reading;
    parser_.emplace();
    parser_->header_limit(host_->options.header_limit);
    parser_->body_limit(host_->options.body_limit);
    arm(host_->options.read_timeout);
    http::async_read_header(socket_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, std::size_t) { self->on_header(error); });
  }

  void on_header(error_code error) {
    if (phase_ == phase::closed)
      return;
    if (error)
      return on_bad_request(error);
    if (!boost::beast::iequals(parser_->get()[http::field::expect], "100-continue"))
      return read_body();
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(socket_, asio::buffer(go_on), [self = shared_from_this()](error_code failed, std::size_t) {
      if (failed)
        self->on_bad_request(failed);
      else
        self->read_body();
    });
  }

  void read_body() {
    if (phase_ == phase::closed)
      return;
    http::async_read(socket_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, std::size_t) { self->on_request(error); });
  }

  void on_request(error_code error) {
    if (phase_ == phase::closed)
      return;
    if (error)
      return on_bad_request(error);
    disarm();
    phase_ = phase::handling;
    ++host_->count.requests;
    auto message = parser_->release();
    parser_.reset();
    version_ = message.version();
    keep_alive_ = message.keep_alive();
    is_head_ = message.method() == http::verb::head;
    http_request request{std::string{message.method_string()}, std::string{message.target()},
                         std::move(message.body())};
    host_->handler(std::move(request), make_respond());
  }

  // Hands out the right to answer once. A handler that throws the right away answers 500.
  respond_function make_respond() {
    struct right {
      explicit right(std::shared_ptr<connection> client) : client(std::move(client)) {}
      ~right() { use({500, R"({"error":"nobody answered"})"}, nullptr); }
      void use(http_response response, sent_callback sent) {
        if (!is_used.exchange(true))
          client->reply(std::move(response), std::move(sent));
      }
      std::shared_ptr<connection> client;
      std::atomic<bool> is_used = false;
    };
    return [given = std::make_shared<right>(shared_from_this())](http_response response, sent_callback sent) {
      given->use(std::move(response), std::move(sent));
    };
  }

  void on_bad_request(error_code error) {
    if (phase_ == phase::closed)
      return;
    const bool is_begun = parser_->got_some();
    parser_.reset();
    if (timed_out_ && is_begun)
      return refuse(408, "the request took too long");
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
      return refuse(431, "the header is too large");
    if (error == http::error::body_limit)
      return refuse(413, "the body is too large");
    const bool is_http = error.category() == http::make_error_code(http::error::bad_version).category();
    if (is_http && error != http::error::end_of_stream && error != http::error::partial_message)
      return refuse(400, "this is not HTTP");
    if (is_begun)
      ++host_->count.cut_off;
    close();
  }

  void refuse(unsigned status, const char* why) {
    ++host_->count.refused;
    version_ = 11;
    keep_alive_ = false;
    is_head_ = false;
    is_refusal_ = true;
    write({status, std::string{R"({"error":")"} + why + "\"}"}, nullptr);
  }

  void write(http_response response, sent_callback sent) {
    if (phase_ == phase::closed) {
      ++host_->count.unsent;
      return tell(sent, false);
    }
    phase_ = phase::writing;
    // While draining, the last answer says that it is the last; what the client has sent already is answered first.
    if (host_->is_draining && buffer_.size() == 0 && !has_arrived())
      keep_alive_ = false;
    message_.emplace(static_cast<http::status>(response.status), version_);
    message_->set(http::field::server, "troupe-checkout");
    message_->set(http::field::content_type, "application/json");
    message_->keep_alive(keep_alive_);
    message_->body() = std::move(response.body);
    message_->prepare_payload();
    if (is_head_)
      message_->body().clear(); // Keeps the length that it would have.
    arm(host_->options.write_timeout);
    http::async_write(socket_, *message_,
                      [self = shared_from_this(), sent = std::move(sent)](error_code error, std::size_t) {
                        self->on_written(error, sent);
                      });
  }

  void on_written(error_code error, const sent_callback& sent) {
    if (!std::exchange(is_refusal_, false))
      ++(error ? host_->count.unsent : host_->count.answers);
    tell(sent, !error);
    if (phase_ == phase::closed)
      return;
    disarm();
    message_.reset();
    if (error)
      return close();
    if (keep_alive_)
      return await_request();
    linger();
  }

  static void tell(const sent_callback& sent, bool is_sent) {
    if (sent)
      sent(is_sent);
  }

  // Closing with unread bytes resets the connection, and the client may lose the answer: read them first.
  void linger() {
    phase_ = phase::lingering;
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    arm(linger_timeout);
    discard();
  }

  void discard() {
    buffer_.clear();
    socket_.async_read_some(buffer_.prepare(4096), [self = shared_from_this()](error_code error, std::size_t) {
      if (self->phase_ == phase::closed)
        return;
      if (error)
        self->close();
      else
        self->discard();
    });
  }

  void drop() {
    if (phase_ == phase::closed)
      return;
    ++host_->count.dropped;
    close();
  }

  void close() {
    disarm();
    phase_ = phase::closed;
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    host_->ended(shared_from_this());
  }

  bool has_arrived() {
    error_code error;
    return socket_.available(error) > 0 && !error;
  }

  void arm(milliseconds limit) {
    timed_out_ = false;
    timer_.expires_after(limit);
    timer_.async_wait([self = shared_from_this(), turn = ++timer_turn_](error_code error) {
      if (!error && turn == self->timer_turn_)
        self->on_timeout();
    });
  }

  void disarm() {
    ++timer_turn_; // A wait that has ended already cannot be cancelled, but ignored.
    timer_.cancel();
  }

  void on_timeout() {
    timed_out_ = true;
    error_code ignored;
    switch (phase_) {
    case phase::idle:
      socket_.cancel(ignored);
      break;
    case phase::reading:
      // Cancelling alone may hit between two reads of one request; the shutdown ends the next read, too.
      socket_.shutdown(tcp::socket::shutdown_receive, ignored);
      socket_.cancel(ignored);
      break;
    case phase::writing:
    case phase::lingering:
      socket_.close(ignored);
      break;
    case phase::handling: // Limited by the request's own deadline.
    case phase::closed:
      break;
    }
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  std::shared_ptr<http_connection_host> host_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> message_;
  phase phase_ = phase::idle;
  std::uint64_t timer_turn_ = 0;
  unsigned version_ = 11;
  bool keep_alive_ = false;
  bool is_head_ = false;
  bool is_refusal_ = false;
  bool timed_out_ = false;
};

} // namespace

std::shared_ptr<http_connection> make_http_connection(tcp::socket socket, std::shared_ptr<http_connection_host> host) {
  return std::make_shared<connection>(std::move(socket), std::move(host));
}

} // namespace checkout
