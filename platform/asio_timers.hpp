// The timers of the Asio dispatcher: a queue of ours behind one Asio timer. Not installed.
#pragma once
#include "platform/runnable_queue.hpp"
#include "platform/timer_queue.hpp"
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>

namespace troupe::platform {

/// Any thread.
class asio_timers {
public:
  /// @param fire Called for each timer that is due, in order and under a lock, on a thread of the io_context.
  /// If it returns false, the work is dropped, not under the lock.
  asio_timers(boost::asio::io_context& context, bool (*fire)(void*, const timer_entry&) noexcept, void* fire_context)
      : fire_{fire}, fire_context_{fire_context}, alarm_{std::in_place, context} {}

  /// @returns an empty id once closed: the work was not taken.
  timer_id add(const timer_entry& entry);
  bool cancel(timer_id timer) noexcept;

  /// From now on `add` refuses.
  void close() noexcept;

  /// Lets go of the io_context. After `close`, when nobody runs it any more.
  void detach() noexcept { alarm_.reset(); }

  /// Takes the timer that is due first. @returns whether there was one.
  bool pop(timer_entry& entry) noexcept;

private:
  void arm();
  void ring();

  bool (*fire_)(void*, const timer_entry&) noexcept;
  void* fire_context_;
  std::mutex mutex_; ///< Guards what follows.
  timer_queue queue_;
  std::optional<boost::asio::steady_timer> alarm_;
  time_point armed_ = time_point::max();
  bool closed_ = false;
};

} // namespace troupe::platform
