// Who has ended, and who looks at whether others live: what happens between actors without a message.
#pragma once
#include "actors/caf_runtime.hpp"
#include "sim/decision.hpp"
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace troupe {

/// Watches the actors of a run for a strategy that wants to know (`strategy::wants_lives`).
class life_watch {
public:
  explicit life_watch(strategy& told) noexcept : told_(told) {}

  void born(const newborn& actor, std::uint64_t identity);
  /// Tells whom the event `identity` has ended, and whom somebody has begun or ceased to watch in it. O(actors that
  /// live).
  void after_event(std::uint64_t identity);
  /// News of the end of `who`: if that has ended before the present event, somebody has just looked.
  /// @returns the event that has ended it, 0 if it was none before
  std::uint64_t heard_of(caf::actor_id who) const;

private:
  struct life {
    actor_anchor anchor;
    caf::actor_id id;
    std::uint64_t identity;
    std::uint64_t attachments;
  };
  struct death {
    std::uint64_t identity;
    std::uint64_t event;
  };

  strategy& told_;
  std::vector<life> lives_;
  std::unordered_map<caf::actor_id, death> dead_;
};

} // namespace troupe
