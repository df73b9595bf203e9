// The check that a program does the same when the same is decided.
#include "sim/determinism.hpp"
#include "sim/chart.hpp"
#include "sim/forwarding_strategy.hpp"
#include "sim/names.hpp"
#include "sim/tape_strategy.hpp"
#include "sim/text.hpp"
#include <algorithm>
#include <cctype>
#include <functional>

namespace troupe {
namespace {

using traced = std::vector<trace_entry>;

constexpr const char* mostly =
    "programs like this mostly depend on the real clock, on addresses (the order of a set or "
    "unordered map of pointers), on unseeded random numbers,\non globals and statics that "
    "outlive a run, on files, or on threads of their own";

/// Leaves every decision to another strategy and keeps what can be seen.
class witness final : public forwarding_strategy {
public:
  explicit witness(strategy& inner) noexcept : forwarding_strategy(inner) {}
  bool is_watching() const noexcept override { return true; }
  std::size_t pick(decision_kind kind, const candidates& among) override {
    seen_at_decision.push_back(seen.size());
    return forwarding_strategy::pick(kind, among);
  }
  void enabled(const candidate& event) override {
    see(sighting::what::enabled, event);
    forwarding_strategy::enabled(event);
  }
  void withdrawn(const candidate& event) override {
    see(sighting::what::withdrawn, event);
    forwarding_strategy::withdrawn(event);
  }
  void happened(const candidate& event) override {
    see(sighting::what::happened, event);
    forwarding_strategy::happened(event);
  }

  std::vector<sighting> seen;
  /// How much was seen before each decision. Only a tape is asked for every one.
  std::vector<std::size_t> seen_at_decision;

private:
  void see(sighting::what is, const candidate& event) {
    seen.push_back({is, {event.identity, event.kind}, event.place, event.content});
  }
};

/// Where two sequences differ first; the length of both if they do not.
template <class T, class Same>
std::size_t first_mismatch(const std::vector<T>& a, const std::vector<T>& b, Same same) {
  const auto shorter = static_cast<std::ptrdiff_t>(std::min(a.size(), b.size()));
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + shorter, b.begin(), same).first - a.begin());
}

/// With "0x" in place of each address.
std::string without_addresses(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    result += text[i];
    if (text[i] != 'x' || i == 0 || text[i - 1] != '0')
      continue;
    while (i + 1 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i + 1])))
      ++i;
  }
  return result;
}

bool says_the_same(const std::string& a, const std::string& b) {
  return a == b || without_addresses(a) == without_addresses(b);
}

std::string told(const traced& trace, std::size_t index) {
  if (index >= trace.size())
    return "(nothing: the run ended)";
  auto text = trace_line(trace[index]);
  if (!trace[index].state.empty())
    text += "  [" + one_line(trace[index].state) + "]";
  return text;
}

/// With one space in place of several.
std::string without_columns(std::string text) {
  text.erase(std::unique(text.begin(), text.end(), [](char a, char b) { return a == ' ' && b == ' '; }), text.end());
  return text;
}

std::string both(const std::string& where, const std::string& first, const std::string& second) {
  return "first difference " + where + ":\n  first run:  " + first + "\n  second run: " + second;
}

std::size_t first_difference_at(const traced& a, const traced& b) {
  return first_mismatch(a, b, [](const trace_entry& x, const trace_entry& y) {
    return x.identity == y.identity && x.kind == y.kind && x.to == y.to && x.time == y.time &&
           says_the_same(x.what, y.what) && says_the_same(x.state, y.state);
  });
}

std::string difference_at(const traced& a, const traced& b, std::size_t at) {
  return both("at event " + std::to_string(at + 1), told(a, at), told(b, at));
}

std::size_t entry_of(const traced& trace, event_name event) {
  const auto found = std::find_if(trace.begin(), trace.end(), [&](const trace_entry& each) {
    return event_name{each.identity, each.kind} == event;
  });
  return static_cast<std::size_t>(found - trace.begin());
}

/// How many entries the trace has of what was seen before `end`.
std::size_t entries_before(const std::vector<sighting>& seen, std::size_t end, const traced& trace) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < end && count < trace.size(); ++i)
    if (seen[i].is == sighting::what::happened && event_name{trace[count].identity, trace[count].kind} == seen[i].event)
      ++count;
  return count;
}

/// The thing that was seen, in words.
std::string told(const std::vector<sighting>& seen, std::size_t index, const traced& trace) {
  if (index >= seen.size())
    return "(nothing: the run ended)";
  const auto& sight = seen[index];
  const auto at = entry_of(trace, sight.event);
  const auto text = at == trace.size() ? std::string(to_string(sight.event.kind)) + " of something that never happened"
                                       : told(trace, at);
  switch (sight.is) {
  case sighting::what::enabled:
    return text + (at == trace.size() ? "" : "  (comes to be event " + std::to_string(at + 1) + ")");
  case sighting::what::withdrawn:
    return text + "  (is taken back)";
  default:
    return text;
  }
}

/// What came before the difference.
std::string where_after(std::size_t entries, const traced& trace) {
  return entries == 0 ? std::string("before event 1")
                      : "in what event " + std::to_string(entries) + " led to (" +
                            without_columns(told(trace, entries - 1)) + ")";
}

std::string difference_at(const std::vector<sighting>& a, const std::vector<sighting>& b, std::size_t at,
                          const traced& in_a, const traced& in_b) {
  const auto before = entries_before(a, at, in_a);
  const auto is = [at](const std::vector<sighting>& seen, sighting::what what) {
    return at < seen.size() && seen[at].is == what;
  };
  // What happens next is no alternative to what has become possible in one of the runs only.
  const auto side = [&](const std::vector<sighting>& here, const std::vector<sighting>& there, const traced& trace) {
    const bool is_missing = is(there, sighting::what::enabled) && !is(here, sighting::what::enabled);
    return (is_missing ? "no such event; next: " : "") + told(here, at, trace);
  };
  const bool is_event = is(a, sighting::what::happened) && is(b, sighting::what::happened);
  return both(is_event ? "at event " + std::to_string(before + 1) : where_after(before, in_a), side(a, b, in_a),
              side(b, a, in_b));
}

/// The first decision of another kind, or among another number of candidates.
std::size_t first_difference_at(const std::vector<decision>& a, const std::vector<decision>& b) {
  return first_mismatch(a, b,
                        [](const decision& x, const decision& y) { return x.kind == y.kind && x.count == y.count; });
}

/// Whether the decision is about values: those about events follow from which ones are possible.
bool is_about_values(const std::vector<decision>& decisions, std::size_t at) {
  return at < decisions.size() && decisions[at].kind != decision_kind::event;
}

std::string told(const std::vector<decision>& decisions, std::size_t at) {
  if (!is_about_values(decisions, at))
    return "no such decision";
  return std::string("a decision (") + to_string(decisions[at].kind) + ") among " +
         std::to_string(decisions[at].count) + " values";
}

} // namespace

std::string first_difference(const traced& a, const traced& b) {
  const auto at = first_difference_at(a, b);
  return at == a.size() && at == b.size() ? std::string() : difference_at(a, b, at);
}

repetition::repetition(const runner& run, std::uint64_t seed, strategy& order, bool trace)
    : run_(run), seed_(seed), is_traced_(trace) {
  witness seeing(order);
  first = run_recorded(run, seed, seeing, trace);
  seen_ = std::move(seeing.seen);
}

bool repetition::differs_again() {
  const auto& before = first.result;
  tape_strategy replay(before.decisions, before.model);
  witness seeing(replay);
  second = run_recorded(run_, seed_, seeing, is_traced_);
  const auto& now = second.result;
  const auto sight = first_mismatch(seen_, seeing.seen, std::equal_to<>());
  const bool is_seen = sight < std::max(seen_.size(), seeing.seen.size());
  if (!is_seen && now.trace_hash == before.trace_hash && now.outcome_hash == before.outcome_hash &&
      now.end == before.end && replay.followed_exactly())
    return false;
  const auto choice = first_difference_at(before.decisions, now.decisions);
  const bool is_choice = is_about_values(before.decisions, choice) || is_about_values(now.decisions, choice);
  const auto at_choice = choice < seeing.seen_at_decision.size() ? seeing.seen_at_decision[choice] : seeing.seen.size();
  const auto at = is_choice ? std::min(at_choice, sight) : sight;
  const auto entries =
      is_choice || is_seen ? entries_before(seen_, at, before.trace) : std::max(before.trace.size(), now.trace.size());
  // A value in a message that differs earlier is nearer to the cause, although it is none by itself.
  if (const auto entry = first_difference_at(before.trace, now.trace); entry < entries)
    difference_ = difference_at(before.trace, now.trace, entry);
  else if (is_choice && at_choice <= sight)
    difference_ = both(where_after(entries, before.trace), told(before.decisions, choice), told(now.decisions, choice));
  else if (is_seen)
    difference_ = difference_at(seen_, seeing.seen, sight, before.trace, now.trace);
  else
    difference_ = std::string("the events are the same, but the first run ended as ") + to_string(before.end) +
                  ", the second as " + to_string(now.end);
  (difference_ += "\n") += mostly;
  return true;
}

recorded_run& repetition::failure() {
  second.result.end = verdict::nondeterminism;
  second.result.message = "the same decisions led to another run: the program depends on something that the simulator "
                          "does not control\n" +
                          difference_;
  return second;
}

run_result run_twice(const runner& run, std::uint64_t seed, strategy& order) {
  repetition twice(run, seed, order);
  return std::move((twice.differs_again() ? twice.failure() : twice.first).result);
}

} // namespace troupe
