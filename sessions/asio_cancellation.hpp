// The cancellation of a session as an Asio cancellation slot, for operations that are not in a coroutine of their own.
#pragma once
#include "sessions/asio_executor.hpp"
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <memory>

namespace troupe {

/// Emits Asio's terminal cancellation to `slot()` when the session is cancelled: by `cancel`, by its deadline, when its
/// grace is over, or, with the kind `daemon`, as soon as it closes. Bind the slot to a handler with
/// `bind_cancellation_slot`, one pending operation at a time, as usual.
///
/// It is unsettled work of the session while it lives: make it for an operation or a connection, and let it go with it.
/// Thread safety: as `cancellation_signal` has none, all use of it, of its operations, and its destruction must happen
/// in `on`: a strand of the session's executor, or its foreground executor. That is where the signal is emitted.
class asio_cancellation {
public:
  /// @param on For example `make_strand(owner.get_executor())`
  /// @param options Which kind of work it is, and its label.
  asio_cancellation(const session& owner, boost::asio::any_io_executor on, spawn_options options = {},
                    source_location where = source_location::current());
  ~asio_cancellation();
  asio_cancellation(const asio_cancellation&) = delete;
  asio_cancellation& operator=(const asio_cancellation&) = delete;

  boost::asio::cancellation_slot slot() noexcept;
  /// Whether it has been emitted: an operation that is started later is not cancelled any more.
  bool is_cancelled() const noexcept;
  /// `session_closed` if the session takes no more work: it will never be cancelled then, and emits nothing.
  std::error_code error() const noexcept;

private:
  struct state;
  std::shared_ptr<state> state_;
  pending_work* work_;
};

} // namespace troupe
