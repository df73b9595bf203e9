// The children of a session that are started again when they end: actors and background tasks.
#pragma once
#include "actors/async.hpp"
#include "platform/source_location.hpp"
#include "sessions/session_core.hpp"
#include "sessions/supervision.hpp"
#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace troupe {

class session_node;

/// A child to be started, and started again, by its session.
struct child_spec {
  std::string name;
  restart when = restart::permanent; ///< Which of its ends call for a restart.
  /// Makes an actor, or the coroutine of a daemon task. Called for each start; first in the call of `supervise`, later
  /// wherever the session is supervised. What it throws then counts as a failure of the child. It must not call
  /// `supervise` on its own session.
  std::variant<std::function<caf::actor(caf::actor_system&)>, std::function<async<void>()>> start;
};

/// For the sessions' own use. Thread safety: as each member says.
class supervised_children {
public:
  explicit supervised_children(const supervision_options& options) : policy_(options) {}

  // Under the lock of the session's turns:
  std::size_t size() const noexcept { return children_.size(); }
  void add(session_node& node, child_spec spec, source_location where, std::uint32_t part);
  /// Reacts to the ends that were noted, and starts what is due. @returns when it wants to be called next.
  time_point turn(session_node& node, time_point now);

  /// Lets go of all children; none is started any more.
  void clear() noexcept { children_.clear(); }

  // From any thread:
  /// Takes note that child `index` ended in its `generation`. The caller wakes the session.
  void note_end(std::size_t index, std::uint32_t generation, bool failed, std::string how) noexcept;

private:
  struct child {
    child_spec spec;
    source_location where;
    std::uint32_t part;           // of the session, 0 for a task
    std::uint32_t generation = 0; // counts its starts
    bool alive = false;
    bool stopping = false; // ended on purpose, to be started again
    bool wanted = false;   // to be started
    caf::actor actor;
    task_id task;
  };
  struct end {
    std::size_t index;
    std::uint32_t generation;
    bool failed;
    std::string how;
  };

  void start(session_node& node, std::size_t index);
  void stop(session_node& node, child& which, bool kill);
  void react(session_node& node, const end& what, time_point now);
  double random(session_node& node) noexcept;

  restart_policy policy_;
  std::vector<child> children_;
  time_point due_ = {};
  time_point patience_ = {};
  std::uint64_t draws_ = 0;
  spin_lock lock_;
  std::vector<end> ends_; // guarded by lock_
};

} // namespace troupe
