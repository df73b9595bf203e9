// What the HTTP server does with good, bad, slow and vanishing clients, and how it drains; over real sockets.
#include "examples/checkout/http_client.hpp"
#include "examples/checkout/http_server.hpp"
#include "platform/asio_dispatcher.hpp"
#include "platform/latch.hpp"
#include "tests/examples/answers.hpp"
#include <condition_variable>
#include <doctest/doctest.h>
#include <mutex>
#include <thread>
#include <vector>

using namespace checkout;
using namespace std::chrono_literals;
using troupe::platform::latch;

namespace {

// A server whose handler answers with what it got; requests for /held wait until they are let go.
class echo_server {
public:
  explicit echo_server(http_options options = {})
      : server_(*dispatcher_, options, [this](http_request request, respond_function respond) {
          handle(std::move(request), std::move(respond));
        }) {
    REQUIRE_FALSE(server_.listen());
  }
  ~echo_server() {
    let_go();
    drain();
  }

  http_client client(std::chrono::milliseconds patience = 20s) {
    http_client made{patience};
    REQUIRE(made.connect(server_.port()));
    return made;
  }

  void begin_drain(std::chrono::milliseconds patience = 20s) {
    if (!std::exchange(is_draining_, true))
      server_.drain(patience, [this] { drained_.release(); });
  }
  void drain() {
    begin_drain();
    REQUIRE_FALSE(dispatcher_->block_until(drained_, dispatcher_->now() + 60s));
  }
  bool is_drained() const { return drained_.is_released(); }

  void await_held(std::size_t count) {
    std::unique_lock guard{mutex_};
    REQUIRE(changed_.wait_for(guard, 20s, [&] { return held_.size() >= count; }));
  }
  void let_go() {
    std::vector<std::pair<http_request, respond_function>> held;
    {
      std::lock_guard guard{mutex_};
      held.swap(held_);
    }
    for (auto& [request, respond] : held)
      respond({200, request.target}, nullptr);
  }

  http_server& operator*() { return server_; }
  http_server* operator->() { return &server_; }

private:
  void handle(http_request request, respond_function respond) {
    if (request.target.rfind("/held", 0) == 0) {
      std::lock_guard guard{mutex_};
      held_.emplace_back(std::move(request), std::move(respond));
      changed_.notify_all();
    } else if (request.target != "/forgotten") {
      respond({200, request.method + " " + request.target + " " + request.body}, nullptr);
    }
  }

  std::unique_ptr<troupe::platform::dispatcher> dispatcher_ =
      troupe::platform::make_asio_dispatcher({.thread_count = 2});
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<http_request, respond_function>> held_;
  latch drained_;
  bool is_draining_ = false;
  http_server server_;
};

std::string raw_post(std::size_t body_size) {
  return "POST /echo HTTP/1.1\r\nContent-Length: " + std::to_string(body_size) + "\r\n\r\n";
}

} // namespace

TEST_CASE("a connection carries request after request") {
  echo_server server;
  auto client = server.client();
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.request("POST", "/echo", "body " + std::to_string(i));
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK(answer->body == "POST /echo body " + std::to_string(i));
    CHECK_FALSE(answer->is_last);
  }
  CHECK(server->totals().connections == 1);
  CHECK(server->totals().requests == 3);
}

TEST_CASE("pipelined requests are answered in order") {
  echo_server server;
  auto client = server.client();
  std::string requests;
  for (int i = 0; i < 20; ++i)
    requests += make_request("GET", "/" + std::to_string(i));
  REQUIRE(client.send(requests));
  for (int i = 0; i < 20; ++i) {
    const auto answer = client.receive();
    REQUIRE(answer);
    CHECK(answer->body == "GET /" + std::to_string(i) + " ");
  }
}

TEST_CASE("a client that asks to close gets its answer, then the end") {
  echo_server server;
  auto client = server.client();
  REQUIRE(client.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"));
  const auto answer = client.receive();
  REQUIRE(answer);
  CHECK(answer->is_last);
  CHECK(client.is_closed_by_server());
}

TEST_CASE("a client that waits for leave to send its body gets it") {
  echo_server server;
  auto client = server.client();
  REQUIRE(client.send("POST /echo HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"));
  const auto leave = client.receive();
  REQUIRE(leave);
  CHECK(leave->status == 100);
  REQUIRE(client.send("body"));
  const auto answer = client.receive();
  REQUIRE(answer);
  CHECK(answer->body == "POST /echo body");
}

TEST_CASE("a request that the server cannot take is refused with the reason, and the server lives on") {
  echo_server server;
  auto client = server.client();
  unsigned expected = 0;
  SUBCASE("no HTTP at all") {
    REQUIRE(client.send("\x16\x03\x01\x02 this is not HTTP\r\n\r\n"));
    expected = 400;
  }
  SUBCASE("an unknown version") {
    REQUIRE(client.send("GET / HTTP/9.9\r\n\r\n"));
    expected = 400;
  }
  SUBCASE("a length that is no number") {
    REQUIRE(client.send("POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n"));
    expected = 400;
  }
  SUBCASE("a chunk whose size is no number") {
    REQUIRE(client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"));
    expected = 400;
  }
  SUBCASE("a header of more than 8 KiB") {
    REQUIRE(client.send("GET / HTTP/1.1\r\nX-Long: " + std::string(8 * 1024, 'x') + "\r\n\r\n"));
    expected = 431;
  }
  SUBCASE("an announced body of more than 64 KiB") {
    REQUIRE(client.send(raw_post(64 * 1024 + 1)));
    expected = 413;
  }
  SUBCASE("chunks of more than 64 KiB") {
    std::string chunks = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 5; ++i)
      chunks += "4000\r\n" + std::string(0x4000, 'x') + "\r\n";
    client.send(chunks); // The server may close before all of it is out.
    expected = 413;
  }
  const auto answer = client.receive();
  REQUIRE(answer);
  CHECK(answer->status == expected);
  CHECK(answer->is_last);
  CHECK(client.is_closed_by_server());
  CHECK(server->totals().refused == 1);
  CHECK(server->totals().requests == 0);
  CHECK(status_of(server.client().request("GET", "/alive")) == 200);
}

TEST_CASE("the largest body that is allowed is read") {
  echo_server server;
  auto client = server.client();
  REQUIRE(client.send(raw_post(64 * 1024) + std::string(64 * 1024, 'x')));
  const auto answer = client.receive();
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body.size() == std::string("POST /echo ").size() + 64 * 1024);
}

TEST_CASE("a client that sends too slowly is told so, and holds nobody up") {
  echo_server server{{.read_timeout = 100ms}};
  auto in_header = server.client();
  auto in_body = server.client();
  REQUIRE(in_header.send("GET / HT"));
  REQUIRE(in_body.send(raw_post(10) + "five "));
  CHECK(status_of(server.client().request("GET", "/alive")) == 200);
  for (http_client* slow : {&in_header, &in_body}) {
    const auto answer = slow->receive();
    REQUIRE(answer);
    CHECK(answer->status == 408);
    CHECK(slow->is_closed_by_server());
  }
}

TEST_CASE("a client that trickles bytes does not push its timeout away") {
  echo_server server{{.read_timeout = 150ms}};
  auto client = server.client();
  bool is_open = true;
  for (int i = 0; i < 400 && is_open; ++i) {
    is_open = client.send(i == 0 ? "GET / HTTP/1.1\r\nX: " : "x");
    std::this_thread::sleep_for(10ms);
  }
  CHECK_FALSE(is_open); // Sending fails once the server has closed.
}

TEST_CASE("a client that says nothing is closed after the idle timeout") {
  echo_server server{{.idle_timeout = 50ms}};
  CHECK(server.client().is_closed_by_server());
  CHECK(server->totals().cut_off == 0);
}

TEST_CASE("requests that are cut off reach no handler, and the server lives on") {
  echo_server server;
  for (const std::string& part : {std::string("G"), std::string("GET / HTTP/1.1\r\nHo"), raw_post(10) + "five "}) {
    auto client = server.client();
    REQUIRE(client.send(part));
    client.finish_sending();
    CHECK(client.is_closed_by_server());
  }
  CHECK(server->totals().cut_off == 3);
  CHECK(server->totals().requests == 0);
  CHECK(status_of(server.client().request("GET", "/alive")) == 200);
}

TEST_CASE("a client that leaves before its answer costs the server nothing") {
  for (int round = 0; round < 30; ++round) { // Who notices first that the client has gone differs.
    echo_server server;
    {
      auto client = server.client();
      REQUIRE(client.send(make_request("GET", "/held")));
      server.await_held(1);
    }
    server.let_go();
    CHECK(status_of(server.client().request("GET", "/alive")) == 200);
    server.drain();
    CHECK(server->totals().answers + server->totals().unsent == 2);
  }
}

TEST_CASE("a handler that forgets a request answers 500") {
  echo_server server;
  CHECK(status_of(server.client().request("GET", "/forgotten")) == 500);
}

TEST_CASE("answers come when they are ready, whichever client asked first") {
  echo_server server;
  auto first = server.client();
  REQUIRE(first.send(make_request("GET", "/held")));
  server.await_held(1);
  CHECK(status_of(server.client().request("GET", "/quick")) == 200);
  server.let_go();
  CHECK(body_of(first.receive()) == "/held");
}

TEST_CASE("beyond the connection limit clients wait until another one leaves") {
  echo_server server{{.connection_limit = 1}};
  auto first = server.client();
  CHECK(status_of(first.request("GET", "/")) == 200);
  auto second = server.client(); // The kernel accepts it for us.
  REQUIRE(second.send(make_request("GET", "/second")));
  CHECK(server->totals().connections == 1);
  first.close();
  CHECK(body_of(second.receive()) == "GET /second ");
}

TEST_CASE("a port that is taken is an error") {
  echo_server server;
  const auto dispatcher = troupe::platform::make_asio_dispatcher({.thread_count = 1});
  http_server second{*dispatcher, {.port = server->port()}, [](http_request, respond_function) {}};
  CHECK(second.listen() == std::errc::address_in_use);
  http_server third{*dispatcher, {.address = "nowhere"}, [](http_request, respond_function) {}};
  CHECK(third.listen());
}

TEST_CASE("draining answers every request that was accepted, and then takes no connection") {
  echo_server server;
  auto held = server.client();
  auto half = server.client();
  auto idle = server.client();
  REQUIRE(held.send(make_request("GET", "/held")));
  REQUIRE(half.send(raw_post(10) + "first"));
  CHECK(status_of(idle.request("GET", "/")) == 200);
  server.await_held(1);

  server.begin_drain();
  REQUIRE(half.send("after"));
  const auto half_answer = half.receive();
  REQUIRE(half_answer);
  CHECK(half_answer->body == "POST /echo firstafter");
  CHECK(half_answer->is_last);
  CHECK(idle.is_closed_by_server());
  CHECK_FALSE(http_client{1s}.connect(server->port()));
  CHECK_FALSE(server.is_drained());

  server.let_go();
  const auto held_answer = held.receive();
  REQUIRE(held_answer);
  CHECK(held_answer->body == "/held");
  CHECK(held_answer->is_last);
  held.close();
  half.close();
  server.drain();
  CHECK(server->totals().requests == 3);
  CHECK(server->totals().answers == 3);
  CHECK(server->totals().dropped == 0);
}

TEST_CASE("draining serves what is on its way: connections not yet accepted, requests not yet read") {
  echo_server server{{.connection_limit = 1, .last_call = 5s}};
  auto first = server.client();
  CHECK(status_of(first.request("GET", "/")) == 200);
  auto waiting = server.client(); // Not accepted: the server is full.
  REQUIRE(waiting.send(make_request("GET", "/waiting")));
  server.begin_drain();
  CHECK(body_of(waiting.receive()) == "GET /waiting ");
  CHECK(is_last_of(first.request("GET", "/last"))); // Idle when the drain began.
  first.close();
  waiting.close();
  server.drain();
}

TEST_CASE("draining answers what a client has pipelined") {
  echo_server server;
  auto client = server.client();
  REQUIRE(client.send(make_request("GET", "/held/1") + make_request("GET", "/2") + make_request("GET", "/3")));
  server.await_held(1);
  server.begin_drain();
  server.let_go();
  CHECK_FALSE(is_last_of(client.receive()));
  CHECK_FALSE(is_last_of(client.receive()));
  const auto last = client.receive();
  REQUIRE(last);
  CHECK(last->body == "GET /3 ");
  CHECK(last->is_last);
}

TEST_CASE("a drain that runs out of patience closes by force, and says how many") {
  echo_server server;
  auto client = server.client();
  REQUIRE(client.send(make_request("GET", "/held")));
  server.await_held(1);
  server.begin_drain(50ms);
  CHECK(client.is_closed_by_server());
  server.drain();
  CHECK(server->totals().dropped == 1);
}
