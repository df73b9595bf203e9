// A whole system: CAF on a dispatcher, executors, and the root of all sessions.
#pragma once
#include "actors/caf_runtime.hpp"
#include "executors/executor.hpp"
#include "sessions/session.hpp"
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// How a system is set up.
struct system_options {
  /// Threads of the background lane, if the system makes its own dispatcher; 0: one per hardware thread, at least 2.
  std::size_t background_threads = 0;
  /// Tasks that may wait for their first step on each executor; further ones are rejected. 0: no bound.
  std::size_t background_queue_bound = 0;
  std::size_t foreground_queue_bound = 0;
  /// The root session. A failure in it ends nothing unless asked for: it collects.
  session_options root = {.name = "root", .on_failure = failure_policy::collect};
  host_options host = {};
  /// Takes one line for the operator; by default written to the standard error stream.
  std::function<void(const std::string&)> log = {};
  /// Takes a bug in the program that was noticed (work on the wrong thread); by default it is written to the standard
  /// error stream, and the program aborts.
  std::function<void(const std::string&)> bug = {};
  /// Called with each session once it has closed (the root's comes last), on the thread that closed it: its `outcome()`
  /// and `report()` are final. Must not block.
  std::function<void(const session&)> on_session_closed = {};
};

/// Everything that runs, in one object; no globals, so any number of them may live side by side. Construct and destroy
/// it on the main thread. Thread safety: all other members, from any thread.
class system {
public:
  /// On a dispatcher of its own: the default one of the platform (Asio, if Troupe was built with it).
  explicit system(system_options options = {});
  /// On the given dispatcher, which it stops in the end.
  explicit system(std::unique_ptr<platform::dispatcher> dispatcher, system_options options = {});
  /// On a dispatcher that outlives it and is stopped by it in the end.
  explicit system(platform::dispatcher& dispatcher, system_options options = {});
  /// Shuts down, if nobody has, and waits for code that still runs.
  ~system();
  system(const system&) = delete;
  system& operator=(const system&) = delete;

  /// Owns everything, directly or not; closed by `shutdown`.
  session root() const;
  /// Opens a child of the root.
  session open_session(const session_options& options = {}, source_location where = source_location::current()) const {
    return root().open_session(options, where);
  }
  background_executor& background() const noexcept;
  foreground_executor& foreground() const noexcept;
  /// A serial executor with a thread of its own. The system keeps it until the end, since its tasks may be anywhere;
  /// `close` it when it is not needed any more. @throws std::system_error if no thread can be had
  dedicated_executor& make_dedicated(std::string name, std::size_t queue_bound = 0);

  /// The executors that tasks have begun on which are not settled. Looks through all sessions.
  std::vector<executor*> busy_executors() const;

  caf::actor_system& caf() const noexcept;
  platform::dispatcher& dispatcher() const noexcept;

  /// Waits for a task; see executor::block_on.
  template <class T>
  outcome<T> block_on(task<T> awaited) const {
    return background().block_on(std::move(awaited));
  }
  template <class T>
  std::variant<outcome<T>, task<T>> block_on(task<T> awaited, duration timeout) const {
    return background().block_on(std::move(awaited), timeout);
  }

  /// Closes the root session in order, within `budget`, then stops the dispatcher within what is left of it. If all
  /// threads are stuck, the sessions are closed on the calling thread. Call it on the main thread, outside of any
  /// task; repeating returns the same report.
  cleanup_report shutdown(duration budget = std::chrono::seconds{60});

  /// Whether the task has settled; true also if there never was one of that name.
  bool is_task_complete(task_id task) const noexcept;
  /// Cancels a task wherever it is. @returns false if no unsettled task has that name.
  bool cancel_task(task_id task) const noexcept;
  /// The open session of that name, or an invalid handle. Looks through all sessions.
  session find_session(session_id id) const noexcept;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace troupe
