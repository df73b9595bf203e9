// The request handlers: one session per request, the same code over HTTP and in the simulator.
#pragma once
#include "examples/checkout/http.hpp"
#include "examples/checkout/inventory.hpp"
#include "examples/checkout/order_store.hpp"
#include "executors/executor.hpp"
#include "sessions/system.hpp"
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace checkout {

/// How a handler gets hold of stock.
enum class reservation_protocol {
  read_then_take, ///< Two messages. Wrong: another request may come between them.
  try_reserve,    ///< One message.
};

struct service_options {
  reservation_protocol protocol = reservation_protocol::try_reserve;
  /// From a request's arrival until it is given up. An order whose storing has begun by then is still answered.
  troupe::platform::duration request_deadline = std::chrono::seconds{10};
  /// How long a request's session waits for its `wait_until` work once it is closing.
  troupe::platform::duration grace = std::chrono::seconds{30};
  /// Where the store is called, which may block; null: the background executor. Must outlive the service's sessions.
  troupe::executor* store_executor = nullptr;
};

/// The cleanup reports of all requests, summed up.
struct service_summary {
  std::uint64_t sessions = 0; ///< Closed. The next three add up to it.
  std::uint64_t clean = 0;
  std::uint64_t dirty = 0;
  std::uint64_t failed = 0;
  std::uint64_t deadlines = 0;   ///< Of the sessions, closed because their deadline had passed.
  std::uint64_t tasks = 0;       ///< Spawned by those sessions.
  std::uint64_t cancelled = 0;   ///< Of those tasks.
  std::uint64_t audits_lost = 0; ///< Orders whose audit row could not be written.
  std::string first_unclean;     ///< The first report that is not clean, as text.
};

/// Handles requests. Thread safety: all members.
class order_service {
public:
  /// Requests become child sessions of `home`. `inventory` is asked for stock.
  order_service(troupe::system& system, troupe::session home, caf::actor inventory, std::shared_ptr<order_store> store,
                service_options options = {});

  /// Starts to handle a request, and returns. `respond` is called once: within the deadline, or as soon as it is known
  /// whether the order was stored. Once `home` closes, the answer is 503.
  void handle(http_request request, respond_function respond);

  /// Sums up the sessions that have closed so far.
  service_summary summary() const;

private:
  struct parts;
  struct exchange;
  std::shared_ptr<parts> parts_;
};

} // namespace checkout
