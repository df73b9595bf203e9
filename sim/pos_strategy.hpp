// Partial order sampling: every event has a random priority, drawn anew when it has lost a race.
#pragma once
#include "sim/racing_strategy.hpp"
#include <set>
#include <vector>

namespace troupe {

/// POS (Yuan, Yang, Gu: Partial Order Aware Concurrency Sampling, CAV 2018): the enabled event with the highest
/// priority happens; those that compete with it for the same place draw again. No guarantee by depth, but different
/// outcomes are met more evenly than by a random walk.
class pos_strategy final : public racing_strategy {
public:
  pos_strategy(std::uint64_t seed, std::shared_ptr<const schedule_profile> known) noexcept
      : racing_strategy(seed, 0x706f73, std::move(known)) {}

protected:
  void entered(const candidate& event) override;
  void left(const candidate& event) override;
  void passed(const candidate& event, bool has_competed) override;
  std::size_t pick_event(const candidates& among) override;

private:
  std::unordered_map<const void*, std::uint64_t> priorities_;
  std::set<std::pair<std::uint64_t, const void*>> turns_;
  std::unordered_map<std::uint64_t, std::vector<const void*>> rivals_; // by place; handling a message has none
};

} // namespace troupe
