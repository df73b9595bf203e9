// The CAF actor that stands for a session.
#pragma once
#include "sessions/session_core.hpp"
#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

namespace troupe {

class session_node;

/// Spawns the supervisor of `node`. It gets a message only when there is something to decide. An exit message asks it
/// to close the session (kill: ends the actor, and a successor closes the session as failed).
caf::actor spawn_supervisor(caf::actor_system& system, session_node& node);

/// Tells a supervisor that there is something to decide.
void wake_supervisor(const caf::strong_actor_ptr& supervisor) noexcept;

} // namespace troupe
