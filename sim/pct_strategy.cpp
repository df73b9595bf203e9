// Probabilistic concurrency testing: random priorities, and few random points at which they change.
#include "sim/pct_strategy.hpp"

namespace troupe {

std::map<std::uint64_t, std::int64_t> random_changes(random_source& random, std::uint64_t count, std::uint64_t range) {
  std::map<std::uint64_t, std::int64_t> changes;
  for (std::int64_t low = -1; count > 0 && changes.size() < range; --count, --low) {
    auto at = 1 + random.below(range);
    while (!changes.emplace(at, low).second)
      at = 1 + random.below(range);
  }
  return changes;
}

pct_strategy::pct_strategy(std::uint64_t seed, std::uint64_t depth, std::shared_ptr<const schedule_profile> known)
    : racing_strategy(seed, 0x706374, known), changes_(random_changes(random_, depth - 1, known->decisions)) {}

void pct_strategy::entered(const candidate& event) {
  auto [known, is_new] = priorities_.try_emplace(event.actor);
  if (is_new)
    known->second = static_cast<std::int64_t>(random_() >> 2);
  if (enabled_.add(event))
    turns_.emplace(known->second, event.actor);
}

void pct_strategy::left(const candidate& event) {
  if (enabled_.remove(event))
    turns_.erase({priorities_[event.actor], event.actor});
}

std::size_t pct_strategy::pick_event(const candidates& among) {
  if (turns_.size() >= 2) {
    ++decisions_;
    if (auto change = changes_.find(decisions_); change != changes_.end()) {
      auto actor = std::prev(turns_.end())->second;
      turns_.erase(std::prev(turns_.end()));
      turns_.emplace(priorities_[actor] = change->second, actor);
    }
  }
  auto& keys = enabled_.of(std::prev(turns_.end())->second);
  return among.index_of(keys[keys.size() == 1 ? 0 : static_cast<std::size_t>(random_.below(keys.size()))]);
}

} // namespace troupe
