// What could influence what in a run.
#include "sim/causality.hpp"
#include <algorithm>
#include <unordered_map>
#include <utility>

namespace troupe {

causality::causality(const event_record& record, memory how, std::vector<std::size_t> observers)
    : record_(record), causes_(record.events.size(), no_entry), before_(record.events.size()) {
  std::unordered_map<std::uint64_t, std::size_t> ran, arrived, last_at;
  std::vector<std::size_t> lasts(2, no_entry);
  std::sort(observers.begin(), observers.end());
  for (std::size_t i = 0; i < record.events.size(); ++i) {
    const auto& event = record.events[i].what;
    auto follows = [&](std::size_t before) {
      if (before != no_entry)
        before_[i].push_back(before);
    };
    if (auto parent = ran.find(event.parent); parent != ran.end())
      follows(causes_[i] = parent->second);
    if (event.kind == event_kind::arrival) {
      arrived[event.identity] = i;
      continue;
    }
    // The same identity: its arrival, or the timer that put it into its lane's queue, or an attempt that was put off.
    if (auto at = arrived.find(event.identity); at != arrived.end())
      follows(at->second);
    if (auto at = ran.find(event.identity); at != ran.end())
      follows(at->second);
    auto [last, is_first] = last_at.try_emplace(event.place, i);
    if (!is_first)
      follows(std::exchange(last->second, i));
    ran[event.identity] = i;
    if (how == memory::apart)
      continue;
    if (event.shares_memory)
      follows(std::exchange(lasts[0], i));
    if (std::binary_search(observers.begin(), observers.end(), i))
      follows(std::exchange(lasts[1], i));
  }
}

std::vector<bool> causality::past_of(const std::vector<std::size_t>& ends) const {
  std::vector<bool> is_past(record_.events.size());
  std::vector<std::size_t> open;
  std::size_t all_before = 0; // Whoever had waited knows all that happened meanwhile.
  auto visit = [&](std::size_t event) {
    if (is_past[event])
      return;
    is_past[event] = true;
    open.push_back(event);
  };
  for (auto end : ends)
    visit(end);
  while (!open.empty()) {
    const auto event = open.back();
    open.pop_back();
    for (auto each : before_[event])
      visit(each);
    const auto after = std::min<std::size_t>(record_.events[event].what.after, is_past.size());
    for (; all_before < after; ++all_before)
      visit(all_before);
  }
  return is_past;
}

} // namespace troupe
