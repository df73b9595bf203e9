// How a session's cancellation finds its way to an Asio operation.
#include "sessions/asio_cancellation.hpp"
#include <boost/asio/post.hpp>

namespace troupe {

struct asio_cancellation::state {
  boost::asio::cancellation_signal signal;
  bool is_over = false;
  bool is_cancelled = false;
};

asio_cancellation::asio_cancellation(const session& owner, boost::asio::any_io_executor on, spawn_options options,
                                     source_location where)
    : state_(std::make_shared<state>()),
      work_(pending_work::start(*owner.node(),
                                options.on ? static_cast<task_sink&>(*options.on) : owner.node()->default_sink(),
                                {.kind = options.kind, .name = options.name, .what = "an Asio operation"}, where)) {
  if (work_)
    work_->on_cancel([state = state_, on = std::move(on)] {
      boost::asio::post(on, [state] {
        state->is_cancelled = true;
        if (!state->is_over)
          state->signal.emit(boost::asio::cancellation_type::terminal);
      });
    });
}

asio_cancellation::~asio_cancellation() {
  state_->is_over = true;
  if (work_)
    work_->let_go();
}

boost::asio::cancellation_slot asio_cancellation::slot() noexcept { return state_->signal.slot(); }

bool asio_cancellation::is_cancelled() const noexcept { return state_->is_cancelled; }

std::error_code asio_cancellation::error() const noexcept {
  return work_ ? std::error_code{} : make_error_code(errc::session_closed);
}

} // namespace troupe
