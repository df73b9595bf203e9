// A random walk in which participants are of different speeds.
#pragma once
#include "sim/racing_strategy.hpp"

namespace troupe {

/// A random walk lets all participants go on at the same pace; under PCT one falls behind for good. Here each has a
/// speed that is drawn for this schedule, and in half of the schedules anew every now and then. How far speeds differ
/// is drawn, too. Finds bugs that need somebody to fall behind little by little. No guarantee by depth.
class speeds_strategy : public racing_strategy {
public:
  speeds_strategy(std::uint64_t seed, std::shared_ptr<const schedule_profile> known) noexcept;

protected:
  void entered(const candidate&) override {}
  void left(const candidate&) override {}
  std::size_t pick_event(const candidates& among) override;
  /// From now on all are of one speed.
  void walk_evenly() noexcept { spread_ = 1; }

private:
  std::uint64_t spread_; // speeds are 1, 1/2, ... 1/2^(spread - 1)
  std::uint64_t epoch_;  // decisions, on average, after which they are drawn anew; 0: never
  std::uint64_t salt_;
};

} // namespace troupe
