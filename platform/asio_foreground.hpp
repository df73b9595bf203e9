// The foreground lane of the Asio dispatcher: an io_context that the main thread runs. Not installed.
#pragma once
#include "platform/asio_handler.hpp"
#include "platform/foreground_queue.hpp"
#include <boost/asio/executor_work_guard.hpp>
#include <thread>

namespace troupe::platform {

/// Runs runnables on the thread that made it, a bounded number per handler, so that other handlers of the io_context
/// stay live. Re-entrant: a runnable may call `run_until`.
class asio_foreground final : public foreground_queue {
public:
  /// @param quiet Called on the main thread when everything has ended after `close`.
  asio_foreground(coalesced_handler::function quiet, void* quiet_context);

  ~asio_foreground() { destroy_context(); }

  boost::asio::io_context& context() noexcept { return *context_; }

  /// Destroys the io_context and the handlers that are pending there, which find everything else alive. After
  /// `abandon`.
  void destroy_context() noexcept;

  /// Any thread; never allocates. @returns false once closed: the work was not taken.
  bool push(runnable& work, priority urgency) noexcept;

  /// Drops `work` on the main thread. Any thread.
  void push_dropped(runnable& work) noexcept;

  bool is_main_thread() const noexcept { return std::this_thread::get_id() == main_thread_; }

  /// Whether the caller is inside a runnable of this lane.
  bool is_running() const noexcept { return is_main_thread() && is_inside(); }

  /// Makes `run_until` check its condition. Any thread; never allocates.
  void nudge() noexcept { nudge_.request(); }

  /// Runs handlers until `done()` or the deadline. Main thread only. @returns what `done()` said last
  template <class Condition>
  bool run_until(Condition done, std::optional<time_point> deadline);

  /// Drops what is queued: now if on the main thread, else when that runs the io_context again.
  void abandon() noexcept;

private:
  void pump() noexcept;

  const std::thread::id main_thread_ = std::this_thread::get_id();
  std::optional<boost::asio::io_context> context_{std::in_place};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{context_->get_executor()};
  coalesced_handler pump_;
  coalesced_handler nudge_;
  coalesced_handler::function quiet_;
  void* quiet_context_;
};

template <class Condition>
bool asio_foreground::run_until(Condition done, std::optional<time_point> deadline) {
  assert(is_main_thread());
  // Whoever stopped the io_context meant a call of `run` of their own: it must find it stopped afterwards.
  bool stopped_within = false;
  if (context_->stopped())
    context_->restart();
  if (is_running())
    pump_.request(); // The pump that we are inside of does not go on before we return.
  bool is_done = false;
  while (!(is_done = done())) {
    const auto count = deadline ? context_->run_one_until(*deadline) : context_->run_one();
    if (count > 0)
      continue;
    if (!context_->stopped()) {
      is_done = done();
      break;
    }
    stopped_within = true;
    context_->restart();
  }
  if (stopped_within)
    context_->stop();
  return is_done;
}

} // namespace troupe::platform
