// The table of dedicated lanes: opening, finding, closing and dropping, whatever it is that runs a lane. Not installed.
#pragma once
#include "platform/runnable_queue.hpp"
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>

namespace troupe::platform {

/// Any thread, unless it says otherwise.
class serial_lanes {
public:
  static constexpr std::uint32_t lanes_max = 256; ///< Open ones, and closed ones whose work has not ended.

  serial_lanes(const serial_lanes&) = delete;
  serial_lanes& operator=(const serial_lanes&) = delete;

  /// Sets `error` to `stopped` or `too_many_lanes` on failure.
  lane open(const std::string& name, std::error_code& error);

  /// Never allocates. @returns `unknown_lane` if it is not open: the work was not taken.
  std::error_code push(lane where, runnable& work, priority urgency) noexcept;

  /// The lane ends once what is queued has run.
  void close(lane where) noexcept;

  /// Closes every lane and opens no more.
  void close_all() noexcept;

  /// Whether every lane's work has ended. Means something only after `close_all`.
  bool is_quiet() noexcept;

  /// Drops what is queued in any lane. After `close_all` only.
  void abandon() noexcept;

  /// Whether the caller runs inside that lane.
  bool is_on(lane where) const noexcept;

protected:
  /// One place in the table. Used again, under another number, by the next lane once its work has ended.
  struct entry {
    virtual ~entry() = default;

    std::mutex mutex; ///< Guards what follows.
    priority_lists queue;
    lane number;
    bool closing = true;
    bool ended = true;
  };

  serial_lanes() = default;
  ~serial_lanes();

  /// A new place, of the kind that the other functions get.
  virtual std::unique_ptr<entry> make_entry() = 0;
  /// Makes the lane ready to run what comes; nobody else opens a lane meanwhile. @returns false if that cannot be done
  virtual bool begin(entry& which, const std::string& name) = 0;
  /// Something was queued. Under the entry's mutex.
  virtual void queued(entry& which) noexcept = 0;
  /// The lane was closed. Under the entry's mutex.
  virtual void closed(entry& which) noexcept = 0;

  /// Makes the calling thread one that is inside of the lane, until the end of the scope.
  class inside {
  public:
    inside(const serial_lanes& owner, lane where) noexcept;
    inside(const inside&) = delete;
    ~inside();

  private:
    const serial_lanes* outer_owner_;
    lane outer_where_;
  };

  /// Calls `f` for each place that was ever used.
  template <class F>
  void for_each(F&& f) {
    for (auto& each : table_)
      if (auto* known = each.load())
        f(*known);
  }

private:
  entry* find(lane where) const noexcept;

  std::mutex table_mutex_; ///< For opening; lookups only read the table, and nothing leaves it.
  bool closed_ = false;
  std::array<std::atomic<entry*>, lanes_max> table_ = {};
};

} // namespace troupe::platform
