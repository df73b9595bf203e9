// A request handler's view of its session.
#pragma once
#include "sessions/session.hpp"

namespace troupe {

/// What a handler of requests gets: it may start work that outlives the response, and see how long it has.
/// Cheap to copy. Thread safety: all members.
class execution_context {
public:
  explicit execution_context(troupe::session session) noexcept : session_(std::move(session)) {}

  /// Starts `work` at once; it never delays the response, is part of the session's end, and is shielded from
  /// cancellation until the session's grace has passed. Its failure is the session's.
  /// @returns `session_closed` or `queue_full` if it was refused; it then never runs.
  template <class F>
  std::error_code wait_until(F&& work, spawn_options options = {},
                             source_location where = source_location::current()) const {
    auto started = session_.wait_until(std::forward<F>(work), std::move(options), where);
    auto refused = started.is_ready() && started.state() == task_state::rejected ? started.error() : std::error_code{};
    std::move(started).detach();
    return refused;
  }

  const troupe::session& session() const noexcept { return session_; }
  std::optional<time_point> deadline() const noexcept { return session_.deadline(); }
  /// Whether the session is still open: if not, the handler had better come to an end.
  bool is_open() const noexcept { return session_.is_open(); }

private:
  troupe::session session_;
};

} // namespace troupe
