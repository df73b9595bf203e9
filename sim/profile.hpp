// What strategies want to know of a program beforehand: how long its schedules are, and where its races may be.
#pragma once
#include "sim/runner.hpp"
#include <map>
#include <memory>

namespace troupe {

/// Measured by a few random schedules.
struct schedule_profile {
  std::uint64_t picks = 1;     ///< The most picks of events.
  std::uint64_t decisions = 1; ///< The most picks among events that race (see `racing_strategy`).
  std::uint64_t events = 1;    ///< The most events that race.
  /// Per place that more than one participant sends to: how many of the arrivals there each of them caused, on average
  /// rounded up. Which participants and places there are may depend on the schedule; these are the ones that were seen.
  std::map<std::uint64_t, std::map<std::uint64_t, std::uint64_t>> contested;
};

/// Runs `runs` random schedules under seeds of their own. Failures in them are of no consequence here: whoever searches
/// finds them again.
std::shared_ptr<const schedule_profile> measure_profile(const runner& run, unsigned runs = 5);

} // namespace troupe
