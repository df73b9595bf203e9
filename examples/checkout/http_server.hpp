// Serves HTTP/1.1 on the dispatcher's background pool, and drains without dropping what it has accepted.
#pragma once
#include "examples/checkout/http.hpp"
#include "platform/dispatcher.hpp"
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>

namespace checkout {

/// Limits of a server; a client that exceeds one gets an answer that says so.
struct http_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;                          ///< 0: any free one.
  std::uint32_t header_limit = 8 * 1024;           ///< Bytes; beyond it: 431.
  std::uint64_t body_limit = 64 * 1024;            ///< Bytes; beyond it: 413.
  std::size_t connection_limit = 4096;             ///< Open connections; further ones wait to be accepted.
  std::chrono::milliseconds read_timeout{10'000};  ///< For a whole request, from its first byte; beyond it: 408.
  std::chrono::milliseconds write_timeout{10'000}; ///< For a whole answer; beyond it the connection is closed.
  std::chrono::milliseconds idle_timeout{60'000};  ///< Between requests; beyond it the connection is closed.
  /// What an idle connection gets when the server drains, so that a request already on its way is still served.
  std::chrono::milliseconds last_call{200};
};

/// What a server has seen, counted since it was made.
struct http_totals {
  std::uint64_t connections = 0; ///< Accepted.
  std::uint64_t requests = 0;    ///< Completely read, and handed to the handler.
  std::uint64_t answers = 0;     ///< Of those, answered down to the last byte.
  std::uint64_t unsent = 0;      ///< Of those, answered when the client had gone.
  std::uint64_t refused = 0;     ///< Malformed, oversized or slow: answered 4xx without the handler.
  std::uint64_t cut_off = 0;     ///< Ended by the client, or timed out, before the request was complete.
  std::uint64_t dropped = 0;     ///< Closed by force when the time for draining was over.
};

/// A server. Thread safety: any member from any thread, except construction and destruction.
class http_server {
public:
  /// Makes a server that listens nowhere yet. `dispatcher` must be Asio's and outlive the server and every
  /// `respond_function` that it gave to `handler`, which is called on the dispatcher's background threads.
  http_server(troupe::platform::dispatcher& dispatcher, http_options options, http_handler handler);

  /// Closes whatever is still open, without ceremony. Drain first.
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// Binds, and begins to accept. Call once.
  /// @returns what the system said if the address cannot be had.
  [[nodiscard]] std::error_code listen();

  /// The port that it listens on; 0 before `listen`.
  std::uint16_t port() const noexcept;

  /// Accepts what has connected so far and nothing more, answers every request that has arrived or arrives within
  /// `last_call` on the connections there are, and closes them. Calls `done` when the last one is closed, or when
  /// `patience` is over and the rest was closed by force; on a background thread. Call once, after `listen`.
  void drain(std::chrono::milliseconds patience, std::function<void()> done);

  http_totals totals() const;

private:
  struct shared_state;
  std::shared_ptr<shared_state> state_;
};

} // namespace checkout
