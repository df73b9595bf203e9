// Serial lanes with a thread of their own each. Not installed.
#pragma once
#include "platform/runnable_queue.hpp"
#include <array>
#include <atomic>
#include <memory>
#include <mutex>

namespace troupe::platform {

/// The dedicated lanes of a dispatcher that has threads. Any thread, unless it says otherwise.
class dedicated_lanes {
public:
  static constexpr std::uint32_t lanes_max = 256; ///< Open ones, and closed ones whose work has not ended.

  /// @param quiet Called, from a lane's thread, when it has ended.
  dedicated_lanes(void (*quiet)(void*) noexcept, void* quiet_context);
  ~dedicated_lanes();

  /// Sets `error` to `stopped` or `too_many_lanes` on failure.
  lane open(std::string name, std::error_code& error);

  /// Never allocates. @returns `unknown_lane` if it is not open: the work was not taken.
  std::error_code push(lane where, runnable& work, priority urgency) noexcept;

  /// The lane's thread ends once what is queued has run.
  void close(lane where) noexcept;

  /// Closes every lane and opens no more.
  void close_all() noexcept;

  /// Whether every lane's work has ended. Means something only after `close_all`.
  bool is_quiet() noexcept;

  /// Drops what is queued in any lane. After `close_all` only.
  void abandon() noexcept;

  /// Waits for the threads. After `close_all` only, by one thread.
  void join() noexcept;

  /// Whether the caller runs inside that lane.
  bool is_on(lane where) const noexcept;

  /// Threads that have not ended.
  std::size_t thread_count() const noexcept { return thread_count_.load(); }

private:
  struct lane_thread;

  lane_thread* find(lane where) const noexcept;
  void run(lane_thread& self) noexcept;

  void (*quiet_)(void*) noexcept;
  void* quiet_context_;
  std::mutex table_mutex_; ///< For opening; lookups only read the table, and nothing leaves it.
  bool closed_ = false;
  std::array<std::atomic<lane_thread*>, lanes_max> table_ = {};
  std::atomic<std::size_t> thread_count_ = 0;
};

} // namespace troupe::platform
