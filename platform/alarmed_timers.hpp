// Timers of a dispatcher with threads: a queue of ours behind one alarm of the backend's. Not installed.
#pragma once
#include "platform/runnable_queue.hpp"
#include "platform/timer_queue.hpp"
#include <condition_variable>
#include <mutex>

namespace troupe::platform {

/// Any thread. The alarm is set for the timer that is due first; a timer that was taken back leaves it as it is, since
/// ringing for nothing costs less than setting it anew for every timeout that is taken back.
class alarmed_timers {
public:
  using fire_function = bool (*)(void*, const timer_entry&) noexcept;
  using quiet_function = void (*)(void*) noexcept;

  /// @param fire Called for each timer that is due, in order and under a lock, by `ring`. If it returns false, the work
  /// is dropped, not under the lock.
  /// @param quiet Called when `is_quiet` may have become true.
  alarmed_timers(fire_function fire, quiet_function quiet, void* context) noexcept
      : fire_{fire}, quiet_{quiet}, context_{context} {}
  alarmed_timers(const alarmed_timers&) = delete;
  alarmed_timers& operator=(const alarmed_timers&) = delete;

  /// @returns an empty id once closed: the work was not taken. If it throws, neither was it.
  timer_id add(const timer_entry& entry);
  bool cancel(timer_id timer) noexcept;

  /// From now on `add` refuses, and nothing fires.
  void close() noexcept;

  /// Takes the timer that is due first. @returns whether there was one.
  bool pop(timer_entry& entry) noexcept;

  /// Whether `ring` is dropping nothing. Once this was true after `close`, it stays so.
  bool is_quiet() noexcept;

  /// Waits until that is so. After `close`, not from within a drop.
  void join() noexcept;

protected:
  ~alarmed_timers() = default;

  /// Has `ring` called at `due` or later, and not when it was set for before. Under the lock.
  virtual void set_alarm(time_point due) = 0;
  /// Lets go of the alarm. Under the lock, by `close`.
  virtual void end_alarm() noexcept {}

  /// Fires what is due, and sets the alarm again. Spurious calls harm nobody.
  void ring();

private:
  void arm();

  const fire_function fire_;
  const quiet_function quiet_;
  void* const context_;
  std::mutex
      mutex_; ///< Guards what follows. While timers fire, too: they fire in order even if two alarms ring at once.
  timer_queue queue_;
  time_point armed_ = time_point::max();
  int dropping_ = 0; ///< Calls of `ring` that have something to drop.
  std::condition_variable dropped_;
  bool closed_ = false;
};

} // namespace troupe::platform
