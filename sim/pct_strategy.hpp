// Probabilistic concurrency testing: random priorities, and few random points at which they change.
#pragma once
#include "sim/racing_strategy.hpp"
#include "sim/watching_strategy.hpp"
#include <map>
#include <set>

namespace troupe {

/// PCT (Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized Scheduler with Probabilistic Guarantees of Finding
/// Bugs, ASPLOS 2010), with participants for threads: always the one with the highest priority goes on, and at `depth`
/// - 1 random decisions it falls behind all others. As decisions count those among events that race (taPCT, see
/// `racing_strategy`). Finds a bug that takes `depth` ordered events with a probability of at least
/// 1/(participants * decisions^(depth - 1)), if the run makes no more decisions than the profile says.
class pct_strategy final : public racing_strategy {
public:
  /// @pre depth >= 1
  pct_strategy(std::uint64_t seed, std::uint64_t depth, std::shared_ptr<const schedule_profile> known);

protected:
  void entered(const candidate& event) override;
  void left(const candidate& event) override;
  std::size_t pick_event(const candidates& among) override;

private:
  using turn = std::pair<std::int64_t, std::uint64_t>; // priority, actor

  std::uint64_t decisions_ = 0;
  std::map<std::uint64_t, std::int64_t> changes_; // decision -> the priority that the first one falls to
  std::unordered_map<std::uint64_t, std::int64_t> priorities_;
  std::set<turn> turns_; // of those with enabled events
  enabled_by_actor enabled_;
};

/// `count` different numbers of [1, range], fewer if there are not as many; with the negative numbers -1, -2, ... in
/// random order.
std::map<std::uint64_t, std::int64_t> random_changes(random_source& random, std::uint64_t count, std::uint64_t range);

} // namespace troupe
