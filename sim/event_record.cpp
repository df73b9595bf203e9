// Every event of a run as it happened.
#include "sim/event_record.hpp"
#include "sim/random_source.hpp"

namespace troupe {

std::size_t event_recorder::pick(decision_kind kind, const candidates& among) {
  const auto index = forwarding_strategy::pick(kind, among);
  if (kind != decision_kind::event)
    record_.values.push_back({kind,
                              among[0].parent != 0     ? among[0].parent
                              : record_.events.empty() ? 0
                                                       : record_.events.back().what.identity,
                              static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(among.size())});
  return index;
}

void event_recorder::enabled(const candidate& event) {
  enabled_at_[event.key] = enabled_++;
  forwarding_strategy::enabled(event);
}

void event_recorder::withdrawn(const candidate& event) {
  enabled_at_.erase(event.key);
  forwarding_strategy::withdrawn(event);
}

void event_recorder::happened(const candidate& event) {
  auto known = enabled_at_.find(event.key);
  record_.events.push_back({event, known == enabled_at_.end() ? 0 : known->second});
  record_.events.back().what.key = nullptr;
  if (known != enabled_at_.end())
    enabled_at_.erase(known);
  forwarding_strategy::happened(event);
}

recorded_run run_recorded(const runner& run, std::uint64_t seed, strategy& order, bool trace) {
  event_recorder recorder(order);
  auto result = run(seed, recorder, trace);
  return {std::move(result), recorder.take()};
}

std::vector<std::size_t> trace_entries(const event_record& record, const std::vector<trace_entry>& trace) {
  // Both are in the order in which things happened, and traces leave some out.
  std::vector<std::size_t> entries(record.events.size(), no_entry);
  std::size_t next = 0;
  for (std::size_t i = 0; i < record.events.size() && next < trace.size(); ++i) {
    const auto& what = record.events[i].what;
    if (trace[next].identity == what.identity && trace[next].kind == what.kind)
      entries[i] = next++;
  }
  return entries;
}

} // namespace troupe
