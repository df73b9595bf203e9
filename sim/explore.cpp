// Exploration: many seeds, and the failures among them by their causes.
#include "sim/explore.hpp"
#include "sim/determinism.hpp"
#include "sim/explore_workers.hpp"
#include "sim/same_failure.hpp"
#include <algorithm>
#include <chrono>

namespace troupe {
namespace {

run_result nondeterministic(std::string message, run_result result = {}) {
  result.end = verdict::nondeterminism;
  result.message = std::move(message);
  return result;
}

/// What a schedule does otherwise after the ones that its process had run before it, which may have left something
/// behind: in a few lines; empty if that is not it.
std::string difference_after_others(repetition& twice, const runner& run, const strategy_factory& make,
                                    const explore_options& options, std::uint64_t distance) {
  constexpr std::uint64_t most = 200;
  const auto stride = std::max<std::uint64_t>(options.jobs, 1), others = std::min(distance / stride, most);
  if (make.lanes != 0 || others == 0)
    return {};
  const auto difference = call_apart([&] {
    for (auto each = distance - others * stride; each < distance; each += stride)
      run_schedule(run, make, options, each);
    return twice.differs_again() ? twice.difference() : std::string();
  });
  if (!difference || difference->empty())
    return {};
  return "\nafter " + std::to_string(others) + " other runs in the same process it is another one\n" + *difference;
}

/// A schedule twice more, in this process and traced: the run as it was seen, or `nondeterminism`.
run_result repeated(const runner& run, const strategy_factory& make, const explore_options& options,
                    const schedule_record& seen) {
  const auto seed = options.first_seed + seen.distance;
  const auto order = make(seed);
  repetition twice(run, make.program_seed(seed), *order);
  if (twice.differs_again())
    return std::move(twice.failure().result);
  auto& result = twice.first.result;
  if (result.trace_hash == seen.trace_hash && result.end == seen.end)
    return std::move(result);
  const auto before = seen.end == verdict::nondeterminism
                          ? std::string("two different runs at first")
                          : std::string("another run than at first (") + to_string(seen.end) + ")";
  auto message = "seed " + std::to_string(seed) + " led to " + before +
                 ": the program depends on something that the simulator does not control" +
                 difference_after_others(twice, run, make, options, seen.distance);
  return nondeterministic(std::move(message), std::move(result));
}

/// A schedule that has to be run once more, and may be lost meanwhile.
class confirmation {
public:
  confirmation(const runner& run, const strategy_factory& make, const explore_options& options)
      : run_(run), make_(make), options_(options) {}

  failure_cause of(const schedule_record& seen) const {
    const auto seed = options_.first_seed + seen.distance;
    // What is run here must end.
    if (const auto loss = lost_again(seed)) {
      failure_cause cause{.seed = seed, .count = 1, .is_lost = true};
      cause.failure = nondeterministic("seed " + std::to_string(seed) + " ended (" + to_string(seen.end) +
                                       ") at first, and then was lost: " + loss->message);
      return cause;
    }
    return {.seed = seed, .count = 1, .failure = repeated(run_, make_, options_, seen)};
  }

  failure_cause of(std::uint64_t distance, const process_loss& seen) const {
    failure_cause cause{.seed = options_.first_seed + distance, .count = 1, .is_lost = true};
    cause.failure.end = seen.how;
    // A trace tells in which event it was.
    auto again = lost_again(cause.seed);
    if (again && again->how == seen.how) {
      cause.failure.message = again->message;
      cause.unfinished = std::move(again->run);
    } else {
      cause.failure = nondeterministic("seed " + std::to_string(cause.seed) + " was lost at first (" + seen.message +
                                       "), and not when it was run again" + (again ? ": " + again->message : ""));
    }
    return cause;
  }

private:
  std::optional<process_loss> lost_again(std::uint64_t seed) const {
    if (options_.jobs == 0 || !can_watch_processes())
      return std::nullopt;
    const auto run_it = [&] {
      if (auto order = make_(seed))
        run_(make_.program_seed(seed), *order, true);
      return 0;
    };
    return call_watched(run_it, options_.limits).loss;
  }

  const runner& run_;
  const strategy_factory& make_;
  const explore_options& options_;
};

/// The failures by what tells their causes apart, each with the lowest distance and how many there are.
struct group {
  std::uint64_t distance = 0;
  std::uint64_t count = 0;
  const schedule_record* record = nullptr;
  const process_loss* loss = nullptr;
};

std::vector<group> grouped(const schedule_records& records) {
  std::map<std::pair<bool, std::uint64_t>, group> by_cause;
  const auto add = [&](bool is_lost, std::uint64_t cause, const group& one) {
    auto& known = by_cause.try_emplace({is_lost, cause}, one).first->second;
    if (one.distance < known.distance)
      known = {one.distance, known.count, one.record, one.loss};
    ++known.count;
  };
  for (const auto& each : records.in_order)
    if (each.end != verdict::ok)
      add(false, each.cause, {each.distance, 0, &each, nullptr});
  for (const auto& [distance, loss] : records.lost)
    add(true, loss.cause, {distance, 0, nullptr, &loss});
  std::vector<group> all;
  for (const auto& [key, each] : by_cause)
    all.push_back(each);
  std::sort(all.begin(), all.end(), [](const group& a, const group& b) { return a.distance < b.distance; });
  return all;
}

std::vector<failure_cause> causes_of(const schedule_records& records, const confirmation& confirm) {
  std::vector<failure_cause> causes;
  for (const auto& each : grouped(records)) {
    auto cause = each.loss ? confirm.of(each.distance, *each.loss) : confirm.of(*each.record);
    cause.count = each.count;
    // Only the words show that two losses are the same.
    auto known = std::find_if(causes.begin(), causes.end(), [&](const failure_cause& other) {
      return cause.is_lost && other.is_lost && same_failure(cause.failure, other.failure);
    });
    if (known == causes.end())
      causes.push_back(std::move(cause));
    else
      known->count += cause.count;
  }
  return causes;
}

} // namespace

schedule_record run_schedule(const runner& run, const strategy_factory& make, const explore_options& options,
                             std::uint64_t distance) {
  const auto seed = options.first_seed + distance;
  schedule_record record;
  record.distance = distance;
  auto order = make(seed);
  if (!order) {
    record.is_last = true;
    record.proves_nothing = make.proves_nothing && make.proves_nothing();
    return record;
  }
  run_result result;
  std::optional<repetition> twice;
  if (options.checks_determinism)
    result = twice.emplace(run, make.program_seed(seed), *order, false).first.result;
  else
    result = run(make.program_seed(seed), *order, false);
  if (make.covered)
    record.covered = make.covered();
  record.outcome_hash = result.outcome_hash;
  record.trace_hash = result.trace_hash;
  record.steps = result.steps;
  if (twice && twice->differs_again())
    result = nondeterministic("the same decisions led to another run");
  record.end = result.end;
  record.cause = result.is_failure() ? cause_of(result) : 0;
  return record;
}

schedule_records explore_here(const runner& run, const strategy_factory& make, const explore_options& options) {
  schedule_records records;
  std::uint64_t failures = 0;
  for (std::uint64_t i = 0; i < options.seeds && failures < options.failures; ++i) {
    const auto record = run_schedule(run, make, options, i);
    if (record.is_last) {
      records.is_exhausted = !record.proves_nothing;
      records.is_inconclusive = record.proves_nothing;
      break;
    }
    records.in_order.push_back(record);
    if (record.end != verdict::ok)
      ++failures;
  }
  records.executed = records.in_order.size();
  return records;
}

explore_result explore(const runner& run, const strategy_factory& make, const explore_options& options) {
  const auto started = std::chrono::steady_clock::now();
  const auto records = options.jobs == 0 ? explore_here(run, make, options) : explore_in_workers(run, make, options);
  explore_result result;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  result.schedules_per_second = static_cast<double>(records.executed) / std::max(result.seconds, 1e-9);
  result.schedules = records.in_order.size() + records.lost.size();

  std::vector<std::uint64_t> outcomes;
  for (const auto& each : records.in_order) {
    result.steps += each.steps;
    outcomes.push_back(each.outcome_hash);
    result.failures += each.end == verdict::ok ? 0 : 1;
  }
  result.failures += records.lost.size();
  std::sort(outcomes.begin(), outcomes.end());
  result.distinct_traces = static_cast<std::uint64_t>(std::unique(outcomes.begin(), outcomes.end()) - outcomes.begin());
  if (make.is_exhaustive) {
    result.is_proven = records.is_exhausted && result.failures == 0;
    result.is_inconclusive = records.is_inconclusive && result.failures == 0;
    result.covered = result.is_proven ? 1 : records.in_order.empty() ? 0 : records.in_order.back().covered;
  }

  const confirmation confirm(run, make, options);
  result.causes = causes_of(records, confirm);
  if (result.failures == 0 && !records.in_order.empty()) {
    // Every run passed, but a program that does not repeat itself has not been tested.
    if (auto again = confirm.of(records.in_order.front()); again.failure.is_failure()) {
      result.causes.push_back(std::move(again));
      result.failures = 1;
      result.is_proven = false;
    }
  }
  if (!result.causes.empty()) {
    const auto& first = result.causes.front();
    result.failing_seed = first.seed;
    result.is_lost = first.is_lost;
    result.failure = first.failure;
  }
  return result;
}

} // namespace troupe
