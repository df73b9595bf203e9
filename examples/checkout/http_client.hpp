// A blocking HTTP client on a plain socket, for the demonstration and the tests.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace checkout {

/// An answer as the client sees it.
struct client_answer {
  unsigned status = 0;
  std::string head; ///< Status line and header fields.
  std::string body;
  bool is_last = false; ///< The server closes the connection after this one.
};

/// One connection to a server. Thread safety: one thread at a time.
class http_client {
public:
  /// `patience`: how long each connect, send and receive may take.
  explicit http_client(std::chrono::milliseconds patience = std::chrono::seconds{30}) : patience_(patience) {}
  ~http_client() { close(); }
  http_client(http_client&& other) noexcept;
  http_client& operator=(http_client&&) = delete;

  /// Connects to a port of 127.0.0.1. @returns whether that worked.
  bool connect(std::uint16_t port);

  /// Sends bytes as they are. @returns false if the connection is gone.
  bool send(std::string_view bytes);

  /// Tells the server that nothing more will come.
  void finish_sending();

  /// Waits for the next answer. Nothing: the connection ended, or the patience, before there was a whole one.
  std::optional<client_answer> receive();

  /// Sends a request and waits for its answer.
  std::optional<client_answer> request(std::string_view method, std::string_view target, std::string_view body = {});

  /// Whether the server has closed, or closes within the patience, without sending anything more.
  bool is_closed_by_server();

  void close();

private:
  bool read_more();

  std::chrono::milliseconds patience_;
  int socket_ = -1;
  std::string unread_;
};

/// A request as `request` sends it.
std::string make_request(std::string_view method, std::string_view target, std::string_view body = {});

} // namespace checkout
