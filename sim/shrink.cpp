// Shrinking of failing schedules by delta debugging.
#include "sim/shrink.hpp"
#include "sim/deviation_strategy.hpp"
#include "sim/random_source.hpp"
#include "sim/tape_strategy.hpp"
#include <algorithm>
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
    result.reproduced = best_.is_failure();
    if (result.reproduced)
      reduce();
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
  bool is_spent() const noexcept { return runs_ >= options_.max_runs || steps_ >= options_.max_steps; }

  /// Whether these deviations still lead to the failure; keeps the run if it is the best so far.
  bool fails(const std::vector<deviation>& chosen) {
    if (is_spent())
      return false;
    deviation_strategy order(chosen, failing_.options.model);
    deviation_recorder recorded(order);
    auto result = spend(recorded);
    if (!same_failure(result, best_))
      return false;
    const auto size = [](const std::vector<deviation>& all, const run_result& r) {
      return std::tuple(all.size(), r.deliveries, r.steps);
    };
    if (size(recorded.deviations(), result) < size(best_deviations_, best_)) {
      best_ = std::move(result);
      best_deviations_ = recorded.deviations();
    }
    return true;
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
        auto oldest = d.kind == decision_kind::event ? d.oldest : ~(d.oldest * 4 + static_cast<std::uint64_t>(d.kind));
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
    result.run = run_(failing_.options.seed, replay, true);
    if (result.run.trace_hash != best_.trace_hash) {
      result.run.end = verdict::nondeterminism;
      result.run.message = "the shrunk tape led to another trace than when it was found";
    }
    kept.end = result.run.end;
    kept.trace_hash = result.run.trace_hash;
    kept.decisions = result.run.decisions;
    result.deviations_after = deviations(kept.decisions);
    result.runs = runs_ + 1;
  }

  const runner& run_;
  const tape& failing_;
  const shrink_options& options_;
  std::uint64_t runs_ = 0;
  std::uint64_t steps_ = 0;
  run_result best_;
  std::vector<deviation> best_deviations_;
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
