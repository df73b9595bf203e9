// The dispatcher for hosts that live on Grand Central Dispatch: Troupe runs on its threads and starts none.
#pragma once
#include "platform/dispatcher.hpp"
#include <memory>

namespace troupe::platform {

/// How to make a GCD dispatcher.
struct gcd_dispatcher_options {
  /// Runnables of the background lane that may run at once, 64 at most; 0: one per hardware thread, but at least 2.
  std::size_t width = 0;
};

/// Makes a dispatcher whose background lane runs on GCD's global queues, whose foreground lane is the main queue, and
/// whose dedicated lanes are serial queues: they have no thread of their own, only one at a time. `thread_count` is 0.
///
/// The main queue belongs to the host: as long as it does not run it (platform/gcd_main_queue.hpp), foreground work
/// waits. Only `block_until` and `stop` run it, if called on the main thread, until they return. "The main thread" is
/// whoever is on the main queue: after `dispatch_main` that is a thread of GCD's.
///
/// All lanes keep the weights of priorities. Where the system knows QoS, the background lane also runs at the class of
/// the most urgent work that waits there; docs/gcd.md has the table. Once it has stopped, nothing of it is left with
/// GCD but empty callbacks, which keep some memory alive until GCD has run them.
///
/// Destroy it on the main queue; the destructor stops it at once if nobody has, and waits for runnables that still run.
/// @throws std::system_error `wrong_thread` if the caller is not on the main queue; the system's error if it has no
/// event descriptor or port left
/// @throws std::invalid_argument if `width` is above 64
std::unique_ptr<dispatcher> make_gcd_dispatcher(gcd_dispatcher_options options = {});

} // namespace troupe::platform
