// What the sessions of one system share.
#pragma once
#include "executors/executor.hpp"
#include "sessions/session_state.hpp"
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace troupe {

class session_node;

/// Owned by the `system`, which outlives its sessions' work. For the sessions' own use.
struct system_state {
  platform::dispatcher* dispatcher = nullptr;
  caf_host* host = nullptr;
  task_sink* background = nullptr;
  std::function<void(const std::string&)> log;
  std::function<void(session_node&)> on_session_closed;
  std::atomic<std::uint32_t> last_session = 0;
  /// Closers that run, and code that was abandoned while it ran and has not returned.
  std::atomic<std::size_t> stuck_code = 0;
  /// The actors cannot run any more: sessions that are left decide on the caller's thread.
  std::atomic<bool> without_actors = false;
  /// What a part that only some programs use keeps for the system, made when first needed: let go of once the
  /// dispatcher has stopped, while all else is still there.
  std::mutex extension_mutex;
  std::shared_ptr<void> extension; ///< Guarded by extension_mutex.

  time_point now() const noexcept { return dispatcher->now(); }
};

} // namespace troupe
