// Selectively uniform random walk: the orders of a few interesting arrivals become about equally likely.
#include "sim/surw_strategy.hpp"

namespace troupe {

surw_strategy::surw_strategy(std::uint64_t seed, std::uint64_t places,
                             const std::shared_ptr<const schedule_profile>& known)
    : racing_strategy(seed, 0x73757277, known) {
  std::vector<std::uint64_t> all;
  for (auto& [place, senders] : known->contested)
    all.push_back(place);
  for (auto count = all.empty() ? 0 : 1 + random_.below(places); count > 0 && !all.empty(); --count) {
    auto at = all.begin() + static_cast<std::ptrdiff_t>(random_.below(all.size()));
    places_.insert(*at);
    for (auto& [sender, arrivals] : known->contested.at(*at))
      left_[sender] += arrivals;
    all.erase(at);
  }
}

void surw_strategy::draw_intent(const candidates& among) {
  // Only among those that can act at all; nobody is known to be blocked who has not been seen.
  std::map<std::uint64_t, std::uint64_t> weights;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < among.size(); ++i) {
    auto actor = among[i].actor;
    if (weights.count(actor))
      continue;
    auto known = left_.find(actor);
    sum += weights[actor] = known == left_.end() ? 0 : known->second;
  }
  if (sum == 0)
    return;
  auto drawn = random_.below(sum);
  for (auto& [actor, weight] : weights) {
    if (drawn < weight) {
      intent_ = actor;
      return;
    }
    drawn -= weight;
  }
}

std::size_t surw_strategy::pick_event(const candidates& among) {
  if (places_.empty())
    return pick_any(among);
  if (intent_ == 0) {
    draw_intent(among);
    patience_ = 1'000;
  } else if (--patience_ == 0) {
    held_back_.clear();
    intent_ = 0;
  }
  for (;;) {
    std::vector<std::size_t> free;
    for (std::size_t i = 0; i < among.size(); ++i)
      if (!held_back_.count(among[i].key))
        free.push_back(i);
    if (free.empty()) {
      held_back_.clear();
      intent_ = 0;
      return pick_any(among);
    }
    auto picked = free[static_cast<std::size_t>(random_.below(free.size()))];
    auto event = among[picked];
    if (intent_ == 0 || event.actor == intent_ || !is_interesting(event))
      return picked;
    held_back_.insert(event.key);
  }
}

void surw_strategy::passed(const candidate& event, bool) {
  if (!is_interesting(event))
    return;
  if (auto known = left_.find(event.actor); known != left_.end() && known->second > 0)
    --known->second;
  if (intent_ == 0 || event.actor == intent_) {
    intent_ = 0;
    held_back_.clear();
  }
}

} // namespace troupe
