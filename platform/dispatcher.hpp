// The one seam between actors, tasks and whatever runs them.
#pragma once
#include "platform/latch.hpp"
#include "platform/priority.hpp"
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace troupe::platform {

using clock = std::chrono::steady_clock;
using time_point = clock::time_point;
using duration = clock::duration;

/// What a trace or a report says of a runnable. All views stay valid while the runnable does.
struct runnable_info {
  const char* kind = "runnable"; ///< "task", "actor", "timer", ...
  std::string_view label = {};   ///< Empty if it has none.
  std::uint64_t owner = 0;       ///< Number of the session it belongs to, 0 for none.
  std::uint64_t number = 0;      ///< Number of the task or actor, 0 for none.
  bool is_new = false;           ///< Work that somebody waits for, of which nothing has run yet.
  bool housekeeping = false;     ///< Only guards something else (a shutdown's budget): not work of its own.
};

/// A unit of work that a dispatcher runs once per dispatch. Intrusive: its storage belongs to whoever dispatched
/// it and must stay valid until `run` or `drop` was called; dispatching allocates nothing.
class runnable {
public:
  runnable() = default;
  runnable(const runnable&) = delete;
  runnable& operator=(const runnable&) = delete;

  /// Does the work. Called exactly once per accepted dispatch unless `drop` is; may dispatch itself again.
  virtual void run() noexcept = 0;

  /// The dispatcher stopped before the work ran. Called at most once, from any thread (but on the main thread for
  /// the foreground lane); must not dispatch.
  virtual void drop() noexcept = 0;

  /// Whoever runs it goes away: work that has begun, or begins next, counts as lost for those who wait for it, although
  /// its code may run on. `run` is called as ever. @returns false if nobody can lose anything
  virtual bool lose() noexcept { return false; }

  virtual runnable_info info() const noexcept { return {}; }

  /// For the dispatcher's own use while the runnable is queued.
  runnable* next_runnable = nullptr;
  /// For the dispatcher's own use; it keeps its value between dispatches of the same object.
  std::uint64_t dispatcher_slot = 0;

protected:
  ~runnable() = default;
};

/// Where a runnable runs.
/// `background`: any thread, concurrent. `foreground`: the main thread, serial. Others: one dedicated thread each,
/// serial, from `open_lane`.
struct lane {
  std::uint32_t number = 0;
  bool operator==(const lane&) const = default;
};
inline constexpr lane background_lane{0};
inline constexpr lane foreground_lane{1};

/// Names a pending timer; 0 names none. Never used twice by one dispatcher.
struct timer_id {
  std::uint64_t value = 0;
  explicit operator bool() const noexcept { return value != 0; }
  bool operator==(const timer_id&) const = default;
};

/// Errors of a dispatcher, each with something different for the caller to do.
enum class dispatch_errc {
  stopped = 1,    ///< The dispatcher has stopped; nothing was queued.
  unknown_lane,   ///< The lane was never opened or is closed.
  too_many_lanes, ///< No further dedicated lane can be had.
  timed_out,      ///< `block_until` gave up at its deadline.
  would_deadlock, ///< Waiting here can never end (simulator: nothing is left to run).
  cannot_block,   ///< This thread must not block (the wasm event loop).
  wrong_thread,   ///< The call belongs on the main thread.
  overloaded,     ///< The lane takes no more for now; nothing was queued.
};
const std::error_category& dispatch_category() noexcept;
/// Lets a dispatch_errc be used as a std::error_code.
std::error_code make_error_code(dispatch_errc code) noexcept;

/// Runs runnables, now or later. Backends: Asio pool, simulator; later GCD and the wasm loop.
/// Thread safety: any member from any thread unless it says otherwise. A runnable never runs inside the call that
/// dispatches it. Within one lane and one priority, runnables dispatched by one thread start in that order on the
/// serial lanes; the background lane promises no order.
class dispatcher {
public:
  virtual ~dispatcher() = default;

  /// Queues `work` for `where`. Success means that exactly one of `run` and `drop` will be called.
  /// @returns `stopped`, `unknown_lane`, or `overloaded` for new work; the runnable then is the caller's again and
  /// neither is called.
  [[nodiscard]] virtual std::error_code dispatch(lane where, runnable& work, priority urgency) noexcept = 0;

  /// For the end of a step: if what the running step has sent or dispatched is not on its way yet, queues `work` again,
  /// in the running step's lane and behind all that, and returns true. Where a send is out when its call returns, there
  /// is nothing to wait for: false, and nothing is queued.
  [[nodiscard]] virtual bool after_effects(runnable& work) noexcept {
    static_cast<void>(work);
    return false;
  }

  /// Queues `work` once `delay` (>= 0, nanoseconds on this dispatcher's clock) has passed; never earlier, and never
  /// inside this call. @returns the timer, or an empty one once stopped (the runnable is the caller's again).
  [[nodiscard]] virtual timer_id dispatch_after(duration delay, lane where, runnable& work, priority urgency) = 0;

  /// Takes a timer back. @returns true if its runnable will get neither `run` nor `drop`: it is the caller's again.
  /// False: it has been queued or run already, or the id is unknown.
  virtual bool cancel(timer_id timer) noexcept = 0;

  /// This dispatcher's monotonic time; virtual in the simulator.
  virtual time_point now() const noexcept = 0;

  /// A time of the same clock that may lie some milliseconds back, never ahead: for time stamps by the million.
  virtual time_point recent() const noexcept { return now(); }

  /// Whether the caller is on the thread that runs the foreground lane.
  virtual bool is_main_thread() const noexcept = 0;

  /// Whether the caller runs inside `where` right now (for the background lane: on one of its threads).
  virtual bool is_on(lane where) const noexcept = 0;

  /// Opens a serial lane with a thread of its own (a serial lane of the one thread in the simulator).
  /// Sets `error` to `stopped` or `too_many_lanes` on failure.
  virtual lane open_lane(std::string name, std::error_code& error) = 0;

  /// Closes a dedicated lane once what is queued in it has run; returns at once. Dispatching to it then fails.
  virtual void close_lane(lane where) noexcept = 0;

  /// Waits until `done` is released, running the foreground lane meanwhile if called on the main thread, or stepping
  /// in the simulator. On any other thread it blocks. @returns `timed_out`, `would_deadlock`, `cannot_block`,
  /// `stopped`, or success. The latch must outlive the call.
  virtual std::error_code block_until(latch& done, std::optional<time_point> deadline) = 0;

  /// Refuses new work, drops waiting timers, lets queued and running work end until `deadline` from now has passed,
  /// then drops what is still queued. On the main thread it runs the foreground lane meanwhile; on another one it
  /// leaves that to the main thread.
  /// @returns true if everything ended in time; false if something was dropped from a queue or is still running (its
  /// thread is left to it and is joined by the destructor). Timers that wait do not count. Call it never from inside a
  /// runnable; repeating it is harmless and gives the same answer.
  virtual bool stop(duration deadline) = 0;

  /// Whether work may come from any thread. If not, as in the simulator, nothing may be attached to it that owns a
  /// thread.
  virtual bool takes_work_from_any_thread() const noexcept { return true; }

  /// Threads that this dispatcher has created.
  virtual std::size_t thread_count() const noexcept = 0;
};

} // namespace troupe::platform

template <>
struct std::is_error_code_enum<troupe::platform::dispatch_errc> : std::true_type {};
