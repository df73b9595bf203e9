// The few words of HTTP that the handlers know: what came in, what goes out, and the way back. No transport.
#pragma once
#include <functional>
#include <string>
#include <utility>

namespace checkout {

/// A request, completely read.
struct http_request {
  std::string method; ///< "GET", "POST", ...
  std::string target; ///< Path and query as sent: "/orders/7".
  std::string body;
};

/// An answer; the transport adds what the connection needs.
struct http_response {
  unsigned status = 200;
  std::string body; ///< JSON.
};

/// Called once the answer has been handed to the network (`true`), or when it cannot be any more (`false`).
using sent_callback = std::function<void(bool)>;

/// How a transport takes an answer. Must be callable once, from any thread; it never blocks. The callback may be empty
/// and may run inside the call.
using respond_function = std::function<void(http_response, sent_callback)>;

/// Takes a request and sees to it that `respond` is called once, sooner or later, from any thread.
/// Must return soon and must not throw.
using http_handler = std::function<void(http_request, respond_function)>;

/// The duty to answer one request: whoever holds it answers, and dropping it answers, too. Move-only.
class reply_duty {
public:
  /// `if_dropped` is the answer that goes out when nobody gives another.
  reply_duty(respond_function respond, http_response if_dropped)
      : respond_(std::move(respond)), if_dropped_(std::move(if_dropped)) {}
  reply_duty(reply_duty&& other) noexcept
      : respond_(std::exchange(other.respond_, nullptr)), if_dropped_(std::move(other.if_dropped_)) {}
  reply_duty& operator=(reply_duty&&) = delete;
  ~reply_duty() {
    if (respond_)
      respond_(std::move(if_dropped_), nullptr);
  }

  /// Answers; later calls do nothing. `sent` may be empty.
  void answer(http_response response, sent_callback sent = nullptr) {
    if (const auto respond = std::exchange(respond_, nullptr))
      respond(std::move(response), std::move(sent));
  }

private:
  respond_function respond_;
  http_response if_dropped_;
};

} // namespace checkout
