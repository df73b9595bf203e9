// A dispatcher without threads, driven by the loop of its host.
#pragma once
#include "platform/dispatcher.hpp"
#include <memory>

namespace troupe::platform {

struct guest_dispatcher_options {
  /// Asks the host to call `poll` soon, on the main thread: work has become ready, or a timer is due earlier than
  /// `next_deadline` last said. Called at most once between two polls, from any thread, also from inside `poll` at its
  /// end; it must neither throw (that aborts the program, with what it threw) nor block nor call the dispatcher. A host
  /// that polls all the time may leave it empty.
  std::function<void()> wake_up = {};
  /// Whether `block_until` may turn the loop by itself on the main thread, while the host's own loop stands still.
  /// If not, it is refused there with `cannot_block`.
  bool may_block = true;
};

/// Runs all its lanes, the background lane too, on the main thread, inside `poll`. The main thread is the one that made
/// it. Lanes with work take turns, runnable by runnable; within a lane the weights of the priorities hold.
/// Thread safety: as every dispatcher; `poll` and `block_until`, as they say.
class guest_dispatcher : public dispatcher {
public:
  /// Runs what is ready, and what becomes ready meanwhile, but at most `budget` runnables; nothing once stopped. On the
  /// main thread only: elsewhere it aborts the program with a message; a nested call, from a loop that a runnable
  /// turns, is fine. @returns how many it ran. If ready work is left, `wake_up` has been called again.
  virtual std::size_t poll(std::size_t budget) = 0;

  /// When `poll` will next have something to do: a time in the past if work is ready now, nothing if neither work nor
  /// timers are there. It may become earlier at any time; `wake_up` tells. Any thread.
  virtual std::optional<time_point> next_deadline() const = 0;
};

/// @throws std::bad_alloc
std::unique_ptr<guest_dispatcher> make_guest_dispatcher(guest_dispatcher_options options = {});

} // namespace troupe::platform
