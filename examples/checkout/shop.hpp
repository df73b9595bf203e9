// The whole shop as it runs in production: handlers, inventory, SQLite and HTTP on one system.
#pragma once
#include "examples/checkout/handlers.hpp"
#include "examples/checkout/http_server.hpp"
#include <chrono>
#include <memory>
#include <string>

namespace checkout {

struct shop_options {
  http_options http;
  sqlite_options database;
  stock_levels stock; ///< What is on the shelf at the start.
  reservation_protocol protocol = reservation_protocol::try_reserve;
  std::chrono::milliseconds request_deadline{10'000};
  std::chrono::milliseconds drain_patience{30'000}; ///< For the requests under way when the shop closes.
};

/// What a shop can say of itself once it has closed.
struct shop_summary {
  http_totals http;
  service_summary requests;
  troupe::cleanup_report root; ///< Of the whole system.
  std::uint64_t oversold = 0;  ///< How often the stock fell below zero.

  /// Whether nothing was dropped, lost, left behind or oversold.
  bool is_clean() const;
  /// A few lines for people.
  std::string to_text() const;
};

/// A shop that is open. Construction and all members: the main thread.
class shop {
public:
  /// Opens one. @returns null if that fails; `why` then tells the reason in one line.
  static std::unique_ptr<shop> open(const shop_options& options, std::string& why);
  ~shop();

  std::uint16_t port() const noexcept;

  /// Returns after SIGTERM or SIGINT. Runs the foreground lane meanwhile.
  void wait_for_signal();

  /// Stops accepting, answers what was accepted, and closes everything in order. Call once.
  shop_summary close();

private:
  struct parts;
  explicit shop(std::unique_ptr<parts> all);
  std::unique_ptr<parts> parts_;
};

} // namespace checkout
