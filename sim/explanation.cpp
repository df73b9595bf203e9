// What is told of a failure.
#include "sim/explanation.hpp"
#include "sim/causality.hpp"
#include "sim/lost_wakeup.hpp"
#include "sim/tape_strategy.hpp"
#include <unordered_map>

namespace troupe {
namespace {

/// The last thing that ran under this identity.
std::size_t event_with(const event_record& record, std::uint64_t identity) {
  for (auto i = record.events.size(); identity != 0 && i-- > 0;)
    if (record.events[i].what.identity == identity && record.events[i].what.kind != event_kind::arrival)
      return i;
  return no_entry;
}

/// Marks what is out of turn among the entries that are shown.
told_run told(recorded_run run, const std::vector<std::size_t>& entries, const std::vector<bool>& matters) {
  told_run result;
  result.marks.resize(run.result.trace.size());
  auto oldest = ~std::uint64_t{0}; // Of what is still to come, from the end on.
  for (auto i = run.record.events.size(); i-- > 0;) {
    const auto at = entries[i];
    if (at == no_entry)
      continue;
    const auto enabled_at = run.record.events[i].enabled_at;
    result.marks[at].is_out_of_turn = oldest < enabled_at;
    result.marks[at].is_left_out = !matters[at];
    if (!run.result.trace[at].internal && matters[at])
      oldest = std::min(oldest, enabled_at);
  }
  result.result = std::move(run.result);
  return result;
}

/// Without what cannot have influenced the failure or the race.
std::vector<bool> slice(const recorded_run& run, const std::vector<std::size_t>& entries, std::size_t failing,
                        const race_report& race) {
  const auto& trace = run.result.trace;
  std::vector<bool> matters(trace.size(), true);
  if (failing == no_entry)
    return matters;
  std::vector<std::size_t> observers, ends{failing};
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries[i] != no_entry && trace[entries[i]].observes)
      observers.push_back(i);
  if (race.found)
    for (auto each : {race.found->first_at, race.found->second_at})
      if (each != no_entry)
        ends.push_back(each);
  const auto past = causality(run.record, causality::memory::shared, observers).past_of(ends);
  std::unordered_map<std::uint64_t, bool> handled; // The handling of a message stands for its arrival.
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries[i] != no_entry) {
      matters[entries[i]] = past[i];
      if (trace[entries[i]].kind != event_kind::arrival)
        handled[trace[entries[i]].identity] = past[i];
    }
  for (std::size_t i = 0; i < trace.size(); ++i)
    if (auto at = handled.find(trace[i].identity); at != handled.end())
      matters[i] = at->second;
  return matters;
}

/// Marks the event in a run, which need not be the one that `which` is of.
void mark_racing(told_run& run, event_name which) {
  for (std::size_t i = 0; i < run.result.trace.size(); ++i)
    if (event_name{run.result.trace[i].identity, run.result.trace[i].kind} == which)
      run.marks[i].is_racing = true;
}

} // namespace

explanation explain(const runner& run, std::uint64_t seed, recorded_run recorded, const race_options& options) {
  explanation result;
  const auto entries = trace_entries(recorded.record, recorded.result.trace);
  // No swap proves anything in a program that does not repeat itself.
  if (!recorded.result.is_failure() || recorded.result.end == verdict::nondeterminism) {
    result.run = told(std::move(recorded), entries, std::vector<bool>(entries.size(), true));
    return result;
  }
  auto race = find_racing_pair(run, seed, recorded, options);
  result.race = race_text(race, recorded);
  result.is_race = race.found.has_value();
  if (race.is_repeatable)
    result.wakeup = find_lost_wakeup(run, seed, recorded);
  const auto failing = event_with(recorded.record, recorded.result.failing_event);
  const auto matters = slice(recorded, entries, failing, race);
  for (std::size_t i = 0; i < matters.size(); ++i)
    if (const auto& entry = recorded.result.trace[i]; entry.kind != event_kind::arrival && !entry.internal)
      result.left_out += matters[i] ? 0 : 1;
  result.run = told(std::move(recorded), entries, matters);
  auto& marks = result.run.marks;
  if (failing != no_entry && entries[failing] != no_entry)
    marks[entries[failing]].is_failing = true;
  else if (result.run.result.end == verdict::invariant && !marks.empty())
    marks.back().is_failing = true; // Before that event it held.
  if (!race.found)
    return result;
  const auto passing_entries = trace_entries(race.passing.record, race.passing.result.trace);
  const std::vector<bool> all(race.passing.result.trace.size(), true);
  result.passing = told(std::move(race.passing), passing_entries, all);
  for (auto each : {race.found->first, race.found->second}) {
    mark_racing(result.run, each);
    mark_racing(result.passing, each);
  }
  return result;
}

explanation explain(const runner& run, const tape& recorded, const race_options& options) {
  tape_strategy order(recorded.decisions, recorded.options.model);
  return explain(run, recorded.options.seed, run_recorded(run, recorded.options.seed, order, true), options);
}

} // namespace troupe
