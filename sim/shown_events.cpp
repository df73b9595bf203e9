// The entries of a trace as people are shown them.
#include "sim/shown_events.hpp"
#include "sim/text.hpp"
#include <unordered_map>
#include <unordered_set>

namespace troupe {
namespace {

/// What to write on the arrow: `is_own` if it caused itself, `is_first` if nothing happened there before.
std::string label_of(const trace_entry& entry, bool is_own, bool is_first) {
  auto what = one_line(entry.what);
  switch (entry.kind) {
  case event_kind::start:
    return what.empty() ? "starts" : "starts: " + what;
  case event_kind::timer:
    return what.empty() ? "timer" : "timer: " + what;
  case event_kind::step: {
    // The column is headed by the task's label: no need to repeat it.
    auto quoted = "'" + what + "'";
    if (!what.empty() &&
        (entry.to.size() < quoted.size() || entry.to.substr(entry.to.size() - quoted.size()) != quoted))
      return what;
    return is_first ? "starts" : is_own ? "goes on" : "resumes";
  }
  default:
    return what.empty() ? std::string(to_string(entry.kind)) : message_text(what);
  }
}

} // namespace

std::string message_text(const std::string& tuple) {
  if (tuple.size() <= 2 || tuple.front() != '(' || tuple.back() != ')')
    return tuple;
  auto inner = tuple.substr(1, tuple.size() - 2);
  auto quote = inner.find('\'', 1);
  if (inner.front() != '\'' || quote == inner.npos)
    return inner;
  auto name = inner.substr(1, quote - 1);
  if (quote + 1 == inner.size())
    return name;
  return inner.compare(quote, 3, "', ") == 0 ? name + "(" + inner.substr(quote + 3) + ")" : inner;
}

std::vector<shown_event> shown_events(const told_run& told) {
  const auto& trace = told.result.trace;
  std::unordered_set<std::string> internals;
  for (const auto& entry : trace)
    if (entry.internal)
      internals.insert(entry.to);
  std::unordered_set<std::uint64_t> out_of_turn; // A message's arrival and its handling share their identity.
  for (std::size_t i = 0; i < trace.size(); ++i)
    if (told.marks[i].is_out_of_turn)
      out_of_turn.insert(trace[i].identity);

  std::vector<shown_event> events(trace.size());
  std::unordered_set<std::string> seen;
  std::unordered_map<std::uint64_t, std::size_t> ran;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const auto& entry = trace[i];
    auto& shown = events[i];
    shown.number = i + 1;
    shown.kind = entry.kind;
    // The sender's name as of now may be that of another: its place may have been taken since.
    const auto cause = ran.find(entry.parent);
    shown.cause = cause == ran.end() ? no_entry : cause->second;
    shown.from = one_line(cause == ran.end() ? entry.from : trace[cause->second].to);
    shown.to = one_line(entry.to);
    if (shown.from.empty())
      shown.from = shown.to;
    shown.what = entry.what;
    shown.time = entry.time;
    shown.marks = told.marks[i];
    shown.marks.is_out_of_turn = out_of_turn.count(entry.identity) != 0;
    shown.is_internal = entry.internal || internals.count(shown.from) != 0;
    shown.is_hidden = shown.is_internal || entry.kind == event_kind::arrival;
    const bool is_first = !shown.is_hidden && seen.insert(shown.to).second;
    shown.label = label_of(entry, shown.from == shown.to, is_first);
    if (entry.kind != event_kind::arrival)
      ran.insert_or_assign(entry.identity, i);
  }
  return events;
}

} // namespace troupe
