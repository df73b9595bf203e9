// Delay-bounded scheduling: the default order, but for a few participants that are put off.
#pragma once
#include "sim/racing_strategy.hpp"
#include "sim/watching_strategy.hpp"
#include <set>

namespace troupe {

/// Delay bounding (Emmi, Qadeer, Rakamaric: Delay-Bounded Scheduling, POPL 2011; sampled as in Desai, Qadeer, Seshia:
/// Systematic Testing of Asynchronous Reactive Systems, FSE 2015): participants take turns in the order in which they
/// appeared; the first that can go on does. At up to `delays` random decisions the one whose turn it is goes to the
/// end. Every schedule with that many delays has a probability of at least 1/(delays * decisions^delays), if the run
/// makes no more decisions than the profile says. What races with nothing is not delayed (see `racing_strategy`).
class delay_strategy final : public racing_strategy {
public:
  /// @pre delays >= 1
  delay_strategy(std::uint64_t seed, std::uint64_t delays, std::shared_ptr<const schedule_profile> known);

protected:
  void entered(const candidate& event) override;
  void left(const candidate& event) override;
  std::size_t pick_event(const candidates& among) override;

private:
  std::uint64_t decisions_ = 0;
  std::multiset<std::uint64_t> delays_;
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, std::uint64_t> places_; // in the queue, by actor
  std::set<std::pair<std::uint64_t, std::uint64_t>> turns_; // place, actor: those with enabled events
  enabled_by_actor enabled_;
};

} // namespace troupe
