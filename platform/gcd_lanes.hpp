// The dedicated lanes of the GCD dispatcher: a serial queue each. Not installed.
#pragma once
#include "platform/gcd_api.hpp"
#include "platform/runnable_queue.hpp"
#include <array>
#include <mutex>
#include <string>

namespace troupe::platform {

/// Any thread, unless it says otherwise. A lane runs on one thread at a time, not always on the same one.
class gcd_lanes {
public:
  static constexpr std::uint32_t lanes_max = 256; ///< Open ones, and closed ones whose work has not ended.

  /// @param owner What this is a part of; callbacks keep it alive.
  /// @param quiet Called, from a thread of GCD's, when a closed lane's work has ended.
  gcd_lanes(gcd_shared& owner, void (*quiet)(void*) noexcept, void* quiet_context);
  ~gcd_lanes();

  /// Sets `error` to `stopped` or `too_many_lanes` on failure.
  lane open(const std::string& name, std::error_code& error);

  /// Never allocates. @returns `unknown_lane` if it is not open: the work was not taken.
  std::error_code push(lane where, runnable& work, priority urgency) noexcept;

  /// The lane is gone once what is queued has run.
  void close(lane where) noexcept;

  /// Closes every lane and opens no more.
  void close_all() noexcept;

  /// Whether every lane's work has ended. Means something only after `close_all`.
  bool is_quiet() noexcept;

  /// Drops what is queued in any lane. After `close_all` only.
  void abandon() noexcept;

  /// Waits for what runs. After `abandon` only, by one thread.
  void join() noexcept;

  /// Whether the caller runs inside that lane.
  bool is_on(lane where) const noexcept;

private:
  struct entry;

  entry* find(lane where) const noexcept;
  void request(entry& self) noexcept;
  void drain(entry& self) noexcept;

  gcd_shared& owner_;
  void (*quiet_)(void*) noexcept;
  void* quiet_context_;
  std::mutex table_mutex_; ///< For opening; lookups only read the table, and nothing leaves it.
  bool closed_ = false;
  std::array<std::atomic<entry*>, lanes_max> table_ = {};
  std::atomic<unsigned> running_ = 0; ///< Drains that have begun and not ended.
};

} // namespace troupe::platform
