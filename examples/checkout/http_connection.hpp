// One client's connection, as the server's strand sees it. Only for http_*.cpp: it names Asio types.
#pragma once
#include "examples/checkout/http_server.hpp"
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>

namespace checkout {

struct http_counters {
  std::atomic<std::uint64_t> connections = 0, requests = 0, answers = 0, unsent = 0, refused = 0, cut_off = 0,
                             dropped = 0;
};

class http_connection;

/// What connections need of their server, and share.
class http_connection_host {
public:
  /// The connection is closed and will not be heard of again. Any thread.
  virtual void ended(std::shared_ptr<http_connection> which) = 0;
  http_options options;
  http_handler handler;
  http_counters count;
  std::atomic<bool> is_draining = false;

protected:
  ~http_connection_host() = default;
};

/// Lives on a strand of its own, kept alive by its pending operations and by the right to answer its request. Thread
/// safety: all members; what they ask for happens later.
class http_connection {
public:
  virtual ~http_connection() = default;
  virtual void start() = 0;
  /// The server drains: an idle connection gets its last call.
  virtual void drain() = 0;
  /// Closes it by force.
  virtual void abort() = 0;
};

/// @param socket Its executor is a strand.
std::shared_ptr<http_connection> make_http_connection(boost::asio::ip::tcp::socket socket,
                                                      std::shared_ptr<http_connection_host> host);

} // namespace checkout
