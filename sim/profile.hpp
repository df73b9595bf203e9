// What strategies want to know of a program beforehand: how long its schedules are, and where its races may be.
#pragma once
#include "sim/runner.hpp"
#include <map>
#include <memory>

namespace troupe {

/// Measured by a few schedules.
struct schedule_profile {
  std::uint64_t picks = 1;     ///< The most picks of events.
  std::uint64_t decisions = 1; ///< The most picks among events that race (see `racing_strategy`).
  std::uint64_t events = 1;    ///< The most events that race.
  /// Per place that more than one participant sends to: how many of the arrivals there each of them caused, on average
  /// rounded up. Which participants and places there are may depend on the schedule; these are the ones that were seen.
  std::map<std::uint64_t, std::map<std::uint64_t, std::uint64_t>> contested;
};

/// The profile of a program in one order model, measured when it is asked for: by 5 schedules for the first 50 seeds
/// and one more for each 50 beyond, 60 at most, so that rare shapes of schedules become known where it pays. What it
/// tells depends on nothing but the seed. Every other schedule is a random walk, the rest go ahead unevenly
/// (`speeds_strategy`). Failures in them are of no consequence here, as whoever searches finds them again, and one that
/// crashes tells nothing (see `call_apart`). Thread safety: one thread at a time.
class profile_source {
public:
  explicit profile_source(runner run);
  ~profile_source();
  profile_source(const profile_source&) = delete;
  profile_source& operator=(const profile_source&) = delete;

  std::shared_ptr<const schedule_profile> get(std::uint64_t seed);

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace troupe
