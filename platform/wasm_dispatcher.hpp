// A dispatcher on the JavaScript event loop: the one thread of a page, a worker, an isolate or a node program.
#pragma once
#include "platform/dispatcher.hpp"
#include <memory>

namespace troupe::platform {

struct wasm_dispatcher_options {
  /// Runnables (task steps, actors' turns, due timers) that one turn of the host's loop may run before timers, I/O and
  /// rendering get theirs; at least 1. A count and not a time: some hosts stop the clock while code runs.
  std::size_t budget = 256;
  /// For programs that start from `main` and hold the thread until they are done, as tests do: `block_until` then turns
  /// the queues itself, while nothing of JavaScript's happens. Without it blocking is refused with `cannot_block`.
  bool may_block = false;
};

/// Runs all lanes on the host's loop: the first turn as a microtask, what is left after a turn's budget as a macrotask
/// (`setImmediate`, else `MessageChannel`, else `setTimeout(0)`), and one `setTimeout` for the earliest timer, which is
/// cleared when no timer is left, so that an idle dispatcher keeps no program alive. JavaScript may be in the middle of
/// a turn's microtask; it never sees a runnable run inside of its own call.
/// `stop` runs what is queued at once, without JavaScript's events. Destroy the dispatcher from a host's callback or
/// from `main`, not from a runnable. Callbacks of the host that are under way then find nothing and do nothing.
/// @throws std::bad_alloc
std::unique_ptr<dispatcher> make_wasm_dispatcher(wasm_dispatcher_options options = {});

} // namespace troupe::platform
