// Shrinking of failing schedules by delta debugging.
#include "sim/shrink.hpp"
#include "sim/bounded_strategy.hpp"
#include "sim/causality.hpp"
#include "sim/ddmin.hpp"
#include "sim/deviation_strategy.hpp"
#include "sim/order_strategy.hpp"
#include "sim/random_source.hpp"
#include "sim/same_failure.hpp"
#include "sim/tape_strategy.hpp"
#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace troupe {
namespace {

/// Deviations that are kept or left out together.
using unit = std::vector<std::size_t>;
using units = std::vector<unit>;

/// A failing run, and what is known of it.
struct failing_run {
  run_result result;
  std::vector<deviation> deviations;
  event_record events; ///< Empty if they were not looked at.
  std::uint64_t rows = 0;

  /// What is the smaller run, if deviations come last. A message that a fault has dropped is not one less.
  auto size() const noexcept {
    return std::tuple(result.faults, result.deliveries, rows, deviations.size(), result.steps);
  }
};

class shrinker {
public:
  shrinker(const runner& run, const tape& failing, const shrink_options& options)
      : run_(run), failing_(failing), options_(options) {}

  shrink_result operator()() {
    shrink_result result;
    result.shortest = failing_;
    tape_strategy replay(failing_.decisions, failing_.options.model);
    deviation_recorder first(replay);
    best_.result = spend(first);
    best_.deviations = first.deviations();
    result.deviations_before = best_.deviations.size();
    result.deliveries_before = best_.result.deliveries;
    result.reproduced = best_.result.is_failure();
    if (result.reproduced)
      search();
    finish(result);
    return result;
  }

private:
  /// Each stage leaves something of the budget for the next one.
  void search() {
    const auto start = best_;
    reduce_decisions(0.25);
    reduce_events(0.85);
    reduce_decisions(0.92);
    reduce_events(1);
    if (is_about_events_ && start.result.faults <= best_.result.faults &&
        start.result.deliveries < best_.result.deliveries)
      best_ = start; // Fewer decisions had led to more events.
    if (spent() >= 0.5)
      return;
    // None of this finds the smallest run for certain: another way may lead to another one.
    auto first = std::exchange(best_, start);
    leaves_out_first_ = true;
    reduce_events(0.85);
    reduce_decisions(1);
    reduce_events(1);
    if (first.size() <= best_.size())
      best_ = std::move(first);
  }

  run_result spend(strategy& order) {
    auto result = run_(failing_.options.seed, order, false);
    ++runs_;
    steps_ += result.steps;
    return result;
  }
  /// The share of the budget.
  double spent() const noexcept {
    const auto share = [](std::uint64_t part, std::uint64_t all) {
      return all == 0 ? 1 : static_cast<double>(part) / static_cast<double>(all);
    };
    return std::max(share(runs_, options_.max_runs), share(steps_, options_.max_steps));
  }
  bool is_spent() const noexcept { return spent() >= allowed_; }

  /// Whether these deviations still lead to the failure; keeps the run if it is the best so far.
  bool fails(const std::vector<deviation>& chosen) {
    if (is_spent())
      return false;
    deviation_strategy order(chosen, failing_.options.model);
    return fails_by(order);
  }

  /// The same under any strategy.
  bool fails_by(strategy& order) {
    deviation_recorder deviations(order);
    event_recorder events(deviations);
    bounded_strategy bounded(events, most_events());
    failing_run tried;
    tried.result = spend(bounded);
    // What the test says of a run that was cut short is nothing to go by.
    if (bounded.has_enough() || !same_failure(tried.result, best_.result))
      return false;
    tried.deviations = deviations.deviations();
    tried.rows = rows(events.record());
    tried.events = events.take();
    const auto extent = [](const failing_run& run) {
      return std::tuple(run.result.faults, run.result.deliveries, run.rows);
    };
    if (is_about_events_ && extent(tried) > extent(best_))
      return false;
    if (is_about_events_
            ? tried.size() < best_.size()
            : std::pair(tried.deviations.size(), tried.size()) < std::pair(best_.deviations.size(), best_.size()))
      best_ = std::move(tried);
    return true;
  }

  /// What goes on for longer is not smaller, or hardly ever.
  std::uint64_t most_events() const noexcept {
    const auto known = best_.result.steps;
    return is_about_events_ ? known + known / 8 + 20 : 4 * known + 1'000;
  }

  /// Events as a chart would show them: without arrivals and Troupe's own.
  static std::uint64_t rows(const event_record& record) {
    return static_cast<std::uint64_t>(
        std::count_if(record.events.begin(), record.events.end(), [](const recorded_event& each) {
          return each.what.kind != event_kind::arrival &&
                 !(each.what.kind == event_kind::handle && each.what.shares_memory);
        }));
  }

  void reduce_decisions(double allowed) {
    allowed_ = allowed;
    if (best_.deviations.empty() || fails(std::vector<deviation>()))
      return;
    // The shrunk run's own deviations may be fewer than the ones it was asked for: go on from there until nothing
    // helps.
    const auto holds = [this](const units& chosen) { return fails(chosen); };
    const auto is_over = [this] { return is_spent(); };
    for (std::size_t before = best_.deviations.size() + 1; best_.deviations.size() < before && !is_spent();) {
      before = best_.deviations.size();
      all_ = best_.deviations;
      // What comes after the point of no return has no part in the failure.
      units kept = shortest_prefix(singles(), holds);
      kept = minimised(by_oldest(kept), holds, is_over);
      minimised(split(kept), holds, is_over);
    }
  }

  // -- events --

  /// Holds events back until nothing is left to happen without them, and leaves some out.
  void reduce_events(double allowed) {
    allowed_ = allowed;
    if (is_spent())
      return;
    tape_strategy replay(best_.result.decisions, failing_.options.model);
    event_recorder recorder(replay);
    const auto again = spend(recorder);
    best_.events = recorder.take();
    if (best_.events.events.empty() || again.trace_hash != best_.result.trace_hash)
      return;
    is_about_events_ = true;
    best_.rows = rows(best_.events);
    drop_what_has_no_part();
    // Large steps first: they make the many runs short that the small ones take.
    for (auto size = best_.events.events.size() / 2; size > 0 && !is_spent();) {
      const auto before = best_.rows;
      if (leaves_out_first_)
        leave_out_chunks(size);
      drop_ends_of_participants(size);
      drop_chunks(size);
      if (!leaves_out_first_)
        leave_out_chunks(size);
      if (best_.rows == before)
        size /= 2;
    }
  }

  /// Whether it still fails, with fewer events, if these are held back; then `best_` is that run.
  bool fails_without(const std::vector<std::size_t>& events) {
    if (is_spent() || events.empty())
      return false;
    const auto record = best_.events;
    const auto steps = best_.result.steps;
    order_strategy order(record, failing_.options.model);
    for (auto each : events)
      order.drop(each);
    return fails_by(order) && best_.result.steps < steps;
  }

  void drop_what_has_no_part() {
    std::size_t failing = no_entry;
    for (std::size_t i = 0; i < best_.events.events.size(); ++i)
      if (best_.events.events[i].what.identity == best_.result.failing_event && best_.result.failing_event != 0)
        failing = i;
    if (failing == no_entry)
      return;
    const auto past = causality(best_.events).past_of({failing});
    std::vector<std::size_t> others;
    for (std::size_t i = 0; i < past.size(); ++i)
      if (!past[i])
        others.push_back(i);
    fails_without(others);
  }

  /// Of each participant the last events: all of them, half of them, and so on, but no fewer than `least`.
  void drop_ends_of_participants(std::size_t least) {
    std::map<std::uint64_t, std::size_t> counts;
    for (const auto& each : best_.events.events)
      ++counts[each.what.place];
    std::vector<std::pair<std::size_t, std::uint64_t>> places;
    for (const auto& [place, count] : counts)
      places.emplace_back(count, place);
    std::sort(places.rbegin(), places.rend());
    for (const auto& [count, place] : places)
      for (auto part = count; part >= least && !is_spent();) {
        std::vector<std::size_t> here;
        for (std::size_t i = 0; i < best_.events.events.size(); ++i)
          if (best_.events.events[i].what.place == place)
            here.push_back(i);
        if (here.empty())
          break;
        part = std::min(part, here.size());
        here.erase(here.begin(), here.end() - static_cast<std::ptrdiff_t>(part));
        if (!fails_without(here))
          part /= 2;
      }
  }

  /// Any `size` events in a row.
  void drop_chunks(std::size_t size) {
    for (std::size_t at = 0; at < best_.events.events.size() && !is_spent();) {
      std::vector<std::size_t> chunk;
      for (auto i = at; i < std::min(at + size, best_.events.events.size()); ++i)
        chunk.push_back(i);
      if (!fails_without(chunk))
        at += size;
    }
  }

  /// Leaves `size` events in a row out, and takes what comes instead for what came later: where an actor has done the
  /// same several times, once less.
  void leave_out_chunks(std::size_t size) {
    for (std::size_t at = 0; at < best_.events.events.size() && !is_spent();) {
      std::vector<std::size_t> chunk;
      auto end = at;
      for (; end < best_.events.events.size() && chunk.size() < size; ++end)
        if (best_.events.events[end].what.kind != event_kind::arrival) // It goes with what arrives.
          chunk.push_back(end);
      if (!fails_leaving_out(chunk))
        at = end;
    }
  }

  static std::uint64_t likeness(const candidate& event, std::uint64_t sender) {
    return mix(mix(static_cast<std::uint64_t>(event.kind), event.content), mix(event.place, sender)) | 1;
  }

  bool fails_leaving_out(const std::vector<std::size_t>& events) {
    if (is_spent() || events.empty())
      return false;
    std::unordered_set<std::uint64_t> left_out;
    for (auto each : events)
      left_out.insert(best_.events.events[each].what.identity);
    event_record record;
    std::unordered_map<std::uint64_t, std::uint64_t> places, places_now;
    for (const auto& each : best_.events.events) {
      if (each.what.kind != event_kind::arrival)
        places.emplace(each.what.identity, each.what.place);
      if (!left_out.contains(each.what.identity))
        record.events.push_back(each);
    }
    for (const auto& each : best_.events.values)
      if (!left_out.contains(each.during))
        record.values.push_back(each);
    const auto sender_in = [](const auto& known, const candidate& event) {
      const auto cause = known.find(event.parent);
      return cause == known.end() ? 0 : cause->second;
    };
    const auto deliveries = best_.result.deliveries;
    order_strategy order(
        record, failing_.options.model,
        [&](const candidate& event) { return likeness(event, sender_in(places, event)); },
        [&](const candidate& event) {
          if (event.kind != event_kind::arrival)
            places_now.emplace(event.identity, event.place);
          return likeness(event, sender_in(places_now, event));
        });
    return fails_by(order) && best_.result.deliveries < deliveries;
  }

  // -- decisions --

  units singles() const {
    units result(all_.size());
    for (std::size_t i = 0; i < all_.size(); ++i)
      result[i] = {i};
    return result;
  }

  /// All deviations past one event are what it takes to hold that event back.
  units by_oldest(const units& among) const {
    std::unordered_map<std::uint64_t, std::size_t> place;
    units result;
    for (const auto& each : among)
      for (auto index : each) {
        const auto& d = all_[index];
        auto oldest = d.kind == decision_kind::event || d.kind == decision_kind::fault
                          ? d.oldest
                          : ~(d.oldest * 4 + static_cast<std::uint64_t>(d.kind));
        auto [found, is_new] = place.try_emplace(oldest, result.size());
        if (is_new)
          result.emplace_back();
        result[found->second].push_back(index);
      }
    return result;
  }

  static units split(const units& among) {
    units result;
    for (const auto& each : among)
      for (auto index : each)
        result.push_back({index});
    return result;
  }

  bool fails(const units& chosen) {
    std::vector<std::size_t> order;
    for (const auto& each : chosen)
      order.insert(order.end(), each.begin(), each.end());
    std::sort(order.begin(), order.end());
    std::vector<deviation> deviations;
    for (auto index : order)
      deviations.push_back(all_[index]);
    return fails(deviations);
  }

  /// Records the best run anew, with its trace, from its own tape.
  void finish(shrink_result& result) {
    auto& kept = result.shortest;
    kept.decisions = std::move(best_.result.decisions);
    tape_strategy replay(kept.decisions, failing_.options.model);
    auto recorded = run_recorded(run_, failing_.options.seed, replay, true);
    result.run = std::move(recorded.result);
    if (result.run.trace_hash != best_.result.trace_hash) {
      result.run.end = verdict::nondeterminism;
      result.run.message = "the shrunk tape led to another trace than when it was found";
    }
    kept.end = result.run.end;
    kept.trace_hash = result.run.trace_hash;
    kept.decisions = result.run.decisions;
    result.deviations_after = deviations(kept.decisions);
    result.deliveries_after = result.run.deliveries;
    kept.message = result.run.message.substr(0, result.run.message.find('\n'));
    kept.order = std::move(recorded.record);
    result.runs = runs_ + 1;
  }

  const runner& run_;
  const tape& failing_;
  const shrink_options& options_;
  double allowed_ = 1;            ///< The share of the budget that may be spent for now.
  bool leaves_out_first_ = false; ///< Before it holds back.
  std::uint64_t runs_ = 0;
  std::uint64_t steps_ = 0;
  failing_run best_;
  /// From here on what counts is how much happens, and only then how much of it is out of turn.
  bool is_about_events_ = false;
  std::vector<deviation> all_;
};

} // namespace

shrink_result shrink(const runner& run, const tape& failing, const shrink_options& options) {
  return shrinker(run, failing, options)();
}

} // namespace troupe
