// What a thread that is not Troupe's has to forget before it goes back to its owner.
#pragma once
#include <atomic>

namespace troupe::platform {

/// Set by whoever leaves something with threads that it runs on; process-wide, as threads are.
inline constinit std::atomic<void (*)() noexcept> thread_release_hook = nullptr;

/// Lets go of what the calling thread holds of any system: CAF leaves a reference to its logger with every thread that
/// spawns an actor, and a system cannot be destroyed before those threads have ended or let go. Dispatchers that run on
/// the threads of others call it; so should a host whose own code has spawned actors, on a thread that lives on.
inline void release_thread() noexcept {
  if (auto* hook = thread_release_hook.load(std::memory_order_acquire))
    hook();
}

} // namespace troupe::platform
