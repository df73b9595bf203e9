// Shrinking of failing schedules by delta debugging.
#include "sim/shrink.hpp"
#include "sim/causality.hpp"
#include "sim/deviation_strategy.hpp"
#include "sim/order_strategy.hpp"
#include "sim/random_source.hpp"
#include "sim/tape_strategy.hpp"
#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

namespace troupe {
namespace {

/// Deviations that are kept or left out together.
using unit = std::vector<std::size_t>;
using units = std::vector<unit>;

class shrinker {
public:
  shrinker(const runner& run, const tape& failing, const shrink_options& options)
      : run_(run), failing_(failing), options_(options) {}

  shrink_result operator()() {
    shrink_result result;
    result.shortest = failing_;
    tape_strategy replay(failing_.decisions, failing_.options.model);
    deviation_recorder first(replay);
    best_ = spend(first);
    best_deviations_ = first.deviations();
    result.deviations_before = best_deviations_.size();
    result.deliveries_before = best_.deliveries;
    result.reproduced = best_.is_failure();
    if (result.reproduced) {
      // Each stage leaves something for the next one.
      allowed_ = options_.max_runs / 3;
      reduce();
      allowed_ = options_.max_runs - options_.max_runs / 6;
      if (reduce_events() || best_events_.events.empty()) {
        allowed_ = options_.max_runs;
        reduce();
      }
    }
    finish(result);
    return result;
  }

private:
  run_result spend(strategy& order) {
    auto result = run_(failing_.options.seed, order, false);
    ++runs_;
    steps_ += result.steps;
    return result;
  }
  bool is_spent() const noexcept { return runs_ >= allowed_ || steps_ >= options_.max_steps; }

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
    auto result = spend(events);
    if (!same_failure(result, best_))
      return false;
    const auto size = std::pair(result.deliveries, rows(events.record())),
               best = std::pair(best_.deliveries, best_rows_);
    const auto count = deviations.deviations().size();
    if (is_about_events_ && size > best)
      return false;
    if (is_about_events_
            ? std::tuple(size, count, result.steps) < std::tuple(best, best_deviations_.size(), best_.steps)
            : std::tuple(count, size, result.steps) < std::tuple(best_deviations_.size(), best, best_.steps)) {
      best_ = std::move(result);
      best_deviations_ = deviations.deviations();
      best_rows_ = size.second;
      best_events_ = events.take();
    }
    return true;
  }

  /// Events as a chart would show them: without arrivals and Troupe's own.
  static std::uint64_t rows(const event_record& record) {
    return static_cast<std::uint64_t>(
        std::count_if(record.events.begin(), record.events.end(), [](const recorded_event& each) {
          return each.what.kind != event_kind::arrival &&
                 !(each.what.kind == event_kind::handle && each.what.shares_memory);
        }));
  }

  void reduce() {
    if (best_deviations_.empty() || fails(std::vector<deviation>()))
      return;
    // The shrunk run's own deviations may be fewer than the ones it was asked for: go on from there until nothing
    // helps.
    for (std::size_t before = best_deviations_.size() + 1; best_deviations_.size() < before && !is_spent();) {
      before = best_deviations_.size();
      all_ = best_deviations_;
      units kept = shortest_prefix(singles());
      kept = minimised(by_oldest(kept));
      minimised(split(kept));
    }
  }

  // -- events --

  /// Holds events back until nothing is left to happen without them. @returns whether that made the run smaller.
  bool reduce_events() {
    if (is_spent())
      return false;
    tape_strategy replay(best_.decisions, failing_.options.model);
    event_recorder recorder(replay);
    const auto again = spend(recorder);
    best_events_ = recorder.take();
    if (best_events_.events.empty() || again.trace_hash != best_.trace_hash)
      return false;
    is_about_events_ = true;
    best_rows_ = rows(best_events_);
    const auto before = std::pair(best_.deliveries, best_rows_);
    drop_what_has_no_part();
    for (auto last = best_rows_ + 1; best_rows_ < last && !is_spent();) {
      last = best_rows_;
      drop_ends_of_participants();
      drop_chunks();
    }
    return std::pair(best_.deliveries, best_rows_) < before;
  }

  /// Whether it still fails, with fewer events, if these are held back; then `best_` is that run.
  bool fails_without(const std::vector<std::size_t>& events) {
    if (is_spent() || events.empty())
      return false;
    const auto record = best_events_;
    const auto steps = best_.steps;
    order_strategy order(record, failing_.options.model);
    for (auto each : events)
      order.drop(each);
    return fails_by(order) && best_.steps < steps;
  }

  void drop_what_has_no_part() {
    std::size_t failing = no_entry;
    for (std::size_t i = 0; i < best_events_.events.size(); ++i)
      if (best_events_.events[i].what.identity == best_.failing_event && best_.failing_event != 0)
        failing = i;
    if (failing == no_entry)
      return;
    const auto past = causality(best_events_).past_of({failing});
    std::vector<std::size_t> others;
    for (std::size_t i = 0; i < past.size(); ++i)
      if (!past[i])
        others.push_back(i);
    fails_without(others);
  }

  /// Of each participant the last events: all of them, half of them, and so on.
  void drop_ends_of_participants() {
    std::map<std::uint64_t, std::size_t> counts;
    for (const auto& each : best_events_.events)
      ++counts[each.what.place];
    std::vector<std::pair<std::size_t, std::uint64_t>> places;
    for (const auto& [place, count] : counts)
      places.emplace_back(count, place);
    std::sort(places.rbegin(), places.rend());
    for (const auto& [count, place] : places)
      for (auto part = count; part > 0 && !is_spent();) {
        std::vector<std::size_t> here;
        for (std::size_t i = 0; i < best_events_.events.size(); ++i)
          if (best_events_.events[i].what.place == place)
            here.push_back(i);
        if (here.empty())
          break;
        part = std::min(part, here.size());
        here.erase(here.begin(), here.end() - static_cast<std::ptrdiff_t>(part));
        if (!fails_without(here))
          part /= 2;
      }
  }

  /// Any runs of events, smaller and smaller ones.
  void drop_chunks() {
    for (auto size = best_events_.events.size() / 2; size > 0 && !is_spent(); size /= 2)
      for (std::size_t at = 0; at < best_events_.events.size() && !is_spent();) {
        std::vector<std::size_t> chunk;
        for (auto i = at; i < std::min(at + size, best_events_.events.size()); ++i)
          chunk.push_back(i);
        if (!fails_without(chunk))
          at += size;
      }
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

  /// What comes after the point of no return has no part in the failure.
  units shortest_prefix(units all) {
    std::size_t passing = 0;
    std::size_t failing = all.size();
    while (failing - passing > 1) {
      auto middle = passing + (failing - passing) / 2;
      if (fails(units(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(middle))))
        failing = middle;
      else
        passing = middle;
    }
    all.resize(failing);
    return all;
  }

  /// ddmin: the result fails, and (unless the budget ends) leaving out any one unit makes it pass.
  units minimised(units failing) {
    std::size_t parts = 2;
    while (failing.size() >= 2 && !is_spent()) {
      parts = std::min(parts, failing.size());
      bool is_reduced = false;
      // A part alone first: that is the larger step.
      for (std::size_t i = 0; i < parts && !is_reduced; ++i)
        if (auto part = slice(failing, i, parts, true); part.size() < failing.size() && fails(part)) {
          failing = std::move(part);
          parts = 2;
          is_reduced = true;
        }
      for (std::size_t i = 0; i < parts && !is_reduced && parts > 2; ++i)
        if (auto rest = slice(failing, i, parts, false); fails(rest)) {
          failing = std::move(rest);
          --parts;
          is_reduced = true;
        }
      if (is_reduced)
        continue;
      if (parts == failing.size())
        break;
      parts *= 2;
    }
    return failing;
  }

  /// Part `i` of `parts`, or everything else.
  static units slice(const units& all, std::size_t i, std::size_t parts, bool is_part) {
    auto begin = all.begin() + static_cast<std::ptrdiff_t>(all.size() * i / parts);
    auto end = all.begin() + static_cast<std::ptrdiff_t>(all.size() * (i + 1) / parts);
    if (is_part)
      return {begin, end};
    units rest(all.begin(), begin);
    rest.insert(rest.end(), end, all.end());
    return rest;
  }

  /// Records the best run anew, with its trace, from its own tape.
  void finish(shrink_result& result) {
    auto& kept = result.shortest;
    kept.decisions = std::move(best_.decisions);
    tape_strategy replay(kept.decisions, failing_.options.model);
    auto recorded = run_recorded(run_, failing_.options.seed, replay, true);
    result.run = std::move(recorded.result);
    if (result.run.trace_hash != best_.trace_hash) {
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
  std::uint64_t allowed_ = 0;
  std::uint64_t runs_ = 0;
  std::uint64_t steps_ = 0;
  run_result best_;
  std::vector<deviation> best_deviations_;
  event_record best_events_;
  std::uint64_t best_rows_ = 0;
  /// From here on what counts is how much happens, and only then how much of it is out of turn.
  bool is_about_events_ = false;
  std::vector<deviation> all_;
};

/// The first line, each number in it replaced by '#'.
std::string shape(const std::string& message) {
  std::string result;
  for (char c : message) {
    if (c == '\n')
      break;
    bool is_digit = c >= '0' && c <= '9';
    if (!is_digit)
      result += c;
    else if (result.empty() || result.back() != '#')
      result += '#';
  }
  return result;
}

} // namespace

bool same_failure(const run_result& a, const run_result& b) {
  return a.end == b.end && shape(a.message) == shape(b.message);
}

std::uint64_t cause_of(const run_result& failure) {
  auto hash = mix(static_cast<std::uint64_t>(failure.end) + 1);
  for (char c : shape(failure.message))
    hash = mix(hash, static_cast<unsigned char>(c));
  return hash;
}

shrink_result shrink(const runner& run, const tape& failing, const shrink_options& options) {
  return shrinker(run, failing, options)();
}

} // namespace troupe
