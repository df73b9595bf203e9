// The racing pair of a failure.
#include "sim/racing_pair.hpp"
#include "sim/causality.hpp"
#include "sim/order_strategy.hpp"
#include "sim/same_failure.hpp"
#include "sim/shown_events.hpp"
#include "sim/text.hpp"
#include <algorithm>
#include <map>
#include <tuple>

namespace troupe {
namespace {

/// A pair of events that could have come in the other order.
struct race {
  std::size_t first, second; ///< Places in the record.
  bool is_internal = false;  ///< Troupe's own bookkeeping.
  bool is_remote = false;    ///< Others come between the two at any rate, unless more than this pair changes places.
  bool is_memory = false;    ///< No deliveries, but two steps that may share memory.
  std::size_t distance = 0;
};

class search {
public:
  search(const runner& run, std::uint64_t seed, const recorded_run& failing, const race_options& options)
      : run_(run), seed_(seed), failing_(failing), options_(options), order_(failing.record),
        entries_(trace_entries(failing.record, failing.result.trace)) {}

  race_report operator()() {
    report_.is_repeatable = !failing_.record.events.empty() && repeats();
    if (!report_.is_repeatable)
      return std::move(report_);
    const auto all = races();
    report_.races = all.size();
    for (const auto& each : all) {
      if (is_spent())
        return std::move(report_);
      if (is_found_by_swap(each.first, name_at(each.second), each.second))
        return std::move(report_);
    }
    for (auto a : put_off_candidates()) {
      if (is_spent())
        return std::move(report_);
      if (is_found_by_putting_off(a))
        return std::move(report_);
    }
    report_.is_complete = !has_skipped_;
    return std::move(report_);
  }

private:
  bool is_spent() const noexcept { return runs_ >= options_.max_runs || steps_ >= options_.max_steps; }
  event_name name_at(std::size_t i) const { return {event(i).identity, event(i).kind}; }
  const candidate& event(std::size_t i) const { return failing_.record.events[i].what; }
  bool is_internal(std::size_t i) const {
    return entries_[i] == no_entry || failing_.result.trace[entries_[i]].internal;
  }

  recorded_run spend(order_strategy& order, bool trace) {
    auto result = run_recorded(run_, seed_, order, trace);
    ++runs_;
    steps_ += result.result.steps;
    return result;
  }

  /// Without a swap it has to be the same run, or a swap would prove nothing.
  bool repeats() {
    order_strategy same(failing_.record, failing_.result.model);
    const auto again = spend(same, false).result;
    return again.trace_hash == failing_.result.trace_hash && again.end == failing_.result.end;
  }

  /// Per receiver the handled messages, in order; per kind of memory the steps.
  std::vector<race> races() {
    std::map<std::uint64_t, std::vector<std::size_t>> handled;
    std::vector<std::size_t> steps;
    for (std::size_t i = 0; i < failing_.record.events.size(); ++i)
      if (event(i).kind == event_kind::handle)
        handled[event(i).place].push_back(i);
      else if (is_step(event(i).kind) && !is_internal(i))
        steps.push_back(i);
    std::vector<race> result;
    for (const auto& [place, all] : handled)
      add_races(all, false, result);
    add_races(steps, true, result);
    std::stable_sort(result.begin(), result.end(), [](const race& a, const race& b) {
      auto rank = [](const race& r) {
        return std::tuple(r.is_internal, r.is_memory, r.is_remote, r.distance, ~r.second);
      };
      return rank(a) < rank(b);
    });
    return result;
  }

  /// Where it was sent; 0 for the test itself.
  std::uint64_t sender_of(std::size_t i) const {
    const auto cause = order_.cause_of(i);
    return cause == no_entry ? 0 : event(cause).place;
  }

  /// Of a very long run the end: each event is compared with all that it may depend on.
  std::size_t first_considered() const noexcept {
    constexpr std::size_t work = 40'000'000, least = 100;
    const auto count = failing_.record.events.size();
    const auto considered = std::max(work / std::max<std::size_t>(count, 1), least);
    return considered >= count ? 0 : count - considered;
  }

  void add_races(const std::vector<std::size_t>& at_one_place, bool is_memory, std::vector<race>& result) {
    constexpr std::size_t furthest = 64;
    for (std::size_t second = 1; second < at_one_place.size(); ++second) {
      const auto b = at_one_place[second];
      if (b < first_considered() || second > furthest)
        has_skipped_ = true;
      if (b < first_considered())
        continue;
      const auto cause = order_.cause_of(b);
      const auto past = order_.past_of(cause == no_entry ? std::vector<std::size_t>() : std::vector{cause});
      const auto waited = std::min<std::size_t>(event(b).after, past.size());
      bool is_remote = false;
      for (std::size_t first = second; first-- > 0 && second - first <= furthest;) {
        const auto a = at_one_place[first];
        if (past[a] || a < waited || (is_memory && event(a).place == event(b).place))
          continue;
        // What one sender sends to one receiver keeps its order.
        if (!is_memory && sender_of(a) == sender_of(b))
          continue;
        result.push_back({a, b, is_internal(a) || is_internal(b), is_remote, is_memory, second - first});
        is_remote = true;
      }
    }
  }

  /// What has to be held back for `a` to come later.
  std::vector<std::uint64_t> holds_for(std::size_t a) const {
    // Where mail arrives as it is sent, in the event that sends it, that event has to come later.
    const auto cause = order_.cause_of(a);
    if (failing_.result.model == order_model::atomic && event(a).kind == event_kind::handle && cause != no_entry)
      return {event(a).identity, event(cause).identity};
    return {event(a).identity};
  }

  /// Runs it with `a` held back until `b` has happened. @returns whether that run passes: then it is reported.
  bool is_found_by_swap(std::size_t a, event_name b, std::size_t b_at) {
    order_strategy swapped(failing_.record, failing_.result.model);
    for (auto identity : holds_for(a))
      swapped.hold(identity, b);
    auto run = spend(swapped, false);
    const auto first = place_of(run.record, name_at(a)), second = place_of(run.record, b);
    if (!swapped.kept_its_holds() || first == no_entry || second >= first)
      return false;
    ++report_.swapped;
    if (run.result.is_failure()) {
      report_.other_failures += same_failure(run.result, failing_.result) ? 0 : 1;
      return false;
    }
    order_strategy again(run.record, failing_.result.model);
    auto traced = spend(again, true);
    if (traced.result.trace_hash != run.result.trace_hash)
      return false;
    report_.found = {name_at(a), b, a, b_at};
    report_.passing = std::move(traced);
    report_.is_complete = true;
    return true;
  }

  /// Late ones first.
  std::vector<std::size_t> put_off_candidates() const {
    std::vector<std::size_t> result;
    for (auto i = failing_.record.events.size(); i-- > 0;)
      if (const auto kind = event(i).kind; (kind == event_kind::handle || is_step(kind)) && !is_internal(i))
        result.push_back(i);
    return result;
  }

  /// If it passes with `a` at the end, something that had not happened before `a` has happened now.
  bool is_found_by_putting_off(std::size_t a) {
    order_strategy late(failing_.record, failing_.result.model);
    for (auto identity : holds_for(a))
      late.hold(identity, {});
    const auto run = spend(late, false);
    const auto a_at = place_of(run.record, name_at(a));
    if (run.result.is_failure() || a_at == no_entry)
      return false;
    const bool is_delivery = event(a).kind == event_kind::handle;
    for (std::size_t i = 0; i < a_at && !is_spent(); ++i) {
      const auto& b = run.record.events[i].what;
      if (is_delivery ? b.kind != event_kind::handle || b.place != event(a).place
                      : !is_step(b.kind) || b.place == event(a).place)
        continue;
      const event_name name{b.identity, b.kind};
      if (place_of(failing_.record, name) == no_entry && is_found_by_swap(a, name, no_entry))
        return true;
    }
    return false;
  }

  static bool is_step(event_kind kind) noexcept { return kind == event_kind::step || kind == event_kind::timer; }

  static std::size_t place_of(const event_record& record, event_name name) {
    for (std::size_t at = 0; at < record.events.size(); ++at)
      if (event_name{record.events[at].what.identity, record.events[at].what.kind} == name)
        return at;
    return no_entry;
  }

  const runner& run_;
  std::uint64_t seed_;
  const recorded_run& failing_;
  const race_options& options_;
  causality order_;
  std::vector<std::size_t> entries_;
  race_report report_;
  bool has_skipped_ = false; ///< There are more races than are tried.
  std::uint64_t runs_ = 0;
  std::uint64_t steps_ = 0;
};

} // namespace

race_report find_racing_pair(const runner& run, std::uint64_t seed, const recorded_run& failing,
                             const race_options& options) {
  return search(run, seed, failing, options)();
}

std::string race_text(const race_report& report, const recorded_run& failing) {
  if (!report.is_repeatable)
    return "no racing pair: the run could not be repeated event by event";
  if (!report.found) {
    const auto swaps = std::to_string(report.swapped);
    if (!report.is_complete)
      return "no racing pair so far: " + swaps + " of " + std::to_string(report.races) +
             " pairs were swapped, and each run failed; that was the budget";
    if (report.races == 0)
      return "no racing pair: no two deliveries could have come in the other order";
    if (report.swapped == 0)
      return "no racing pair: no two deliveries could be swapped alone";
    return "no racing pair: no single swap of two deliveries makes it pass (" + swaps + " were run)";
  }
  const auto& [first, second, first_at, second_at] = *report.found;
  const auto& trace = failing.result.trace;
  const auto entries = trace_entries(failing.record, trace);
  auto number = [&](std::size_t i) { return entries[i] == no_entry ? "?" : std::to_string(entries[i] + 1); };
  auto place = [&](std::size_t i) { return entries[i] == no_entry ? "" : one_line(trace[entries[i]].to); };
  const std::string proof = ": in the other order the run passes (it was run)";
  if (second_at != no_entry) {
    const bool is_delivery = first.kind == event_kind::handle;
    return "racing pair: " + number(first_at) + " and " + number(second_at) + " at " + place(first_at) +
           (is_delivery ? "" : " and " + place(second_at)) + proof;
  }
  std::string late = "what had not come yet";
  for (const auto& entry : report.passing.result.trace)
    if (event_name{entry.identity, entry.kind} == second)
      late = entry.what.empty() ? one_line(entry.to) : one_line(message_text(entry.what));
  return "racing pair: " + number(first_at) + " at " + place(first_at) + " and " + late + ", which had not come yet" +
         proof;
}

} // namespace troupe
