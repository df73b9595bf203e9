// The dispatcher for native programs: a pool of threads beside the main one, open to other Asio code.
#pragma once
#include "platform/dispatcher.hpp"
#include <memory>

namespace troupe::platform {

/// How to make an Asio dispatcher.
struct asio_dispatcher_options {
  /// Threads of the background lane; 0: one per hardware thread, but at least 2.
  std::size_t thread_count = 0;
};

/// Makes a dispatcher whose background lane is a pool of threads and whose foreground lane is run by the calling
/// thread, its main thread from then on: inside `block_until` and `stop`, or by running the io_context of
/// `foreground_context` (platform/asio_context.hpp). Destroy it on that thread; the destructor stops it at once if
/// nobody has, and waits for runnables that still run.
///
/// The background lane holds the weights of priorities for each of its threads: of any `priority_weight_sum` picks of
/// a thread. Work of normal priority that a runnable dispatches tends to run next on the same thread; if that thread
/// is kept busy, another one takes it over within a few milliseconds.
/// @throws std::system_error if the threads cannot be started
std::unique_ptr<dispatcher> make_asio_dispatcher(asio_dispatcher_options options = {});

} // namespace troupe::platform
