// Partial order sampling: every event has a random priority, drawn anew when it has lost a race.
#include "sim/pos_strategy.hpp"

namespace troupe {

void pos_strategy::entered(const candidate& event) {
  auto priority = random_();
  priorities_[event.key] = priority;
  turns_.emplace(priority, event.key);
  if (event.kind != event_kind::handle)
    rivals_[event.place].push_back(event.key);
}

void pos_strategy::left(const candidate& event) {
  auto known = priorities_.find(event.key);
  if (known == priorities_.end())
    return;
  turns_.erase({known->second, event.key});
  priorities_.erase(known);
  if (event.kind != event_kind::handle) {
    auto& rivals = rivals_[event.place];
    rivals.erase(std::find(rivals.begin(), rivals.end(), event.key));
  }
}

void pos_strategy::passed(const candidate& event, bool) {
  if (event.kind == event_kind::handle)
    return;
  for (auto* key : rivals_[event.place]) {
    auto& priority = priorities_[key];
    turns_.erase({priority, key});
    priority = random_();
    turns_.emplace(priority, key);
  }
}

std::size_t pos_strategy::pick_event(const candidates& among) {
  return among.index_of(std::prev(turns_.end())->second);
}

} // namespace troupe
