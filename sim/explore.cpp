// Exploration: many seeds, the first failure among them.
#include "sim/explore.hpp"
#include "sim/determinism.hpp"
#include "sim/explore_workers.hpp"
#include <algorithm>
#include <chrono>

namespace troupe {
namespace {

/// A schedule twice more, in this process and traced: the run as it was seen, or `nondeterminism`.
run_result confirmed(const runner& run, const strategy_factory& make, std::uint64_t seed, const schedule_record& seen) {
  auto order = make(seed);
  auto result = run_twice(run, make.program_seed(seed), *order);
  if (result.end == verdict::nondeterminism || result.trace_hash == seen.trace_hash)
    return result;
  result.end = verdict::nondeterminism;
  result.message = "seed " + std::to_string(seed) + " led to another run than at first (" + to_string(seen.end) +
                   "): the program depends on something that the simulator does not control";
  return result;
}

} // namespace

schedule_record run_schedule(const runner& run, const strategy_factory& make, std::uint64_t seed) {
  auto order = make(seed);
  schedule_record record;
  if (!order) {
    record.is_last = true;
    record.has_diverged = make.has_diverged && make.has_diverged();
    return record;
  }
  auto result = run(make.program_seed(seed), *order, false);
  record = {result.outcome_hash, result.trace_hash, result.steps, result.end};
  if (make.covered)
    record.covered = make.covered();
  return record;
}

schedule_records explore_here(const runner& run, const strategy_factory& make, const explore_options& options) {
  schedule_records records;
  for (std::uint64_t i = 0; i < options.seeds && !records.first_failure; ++i) {
    auto record = run_schedule(run, make, options.first_seed + i);
    if (record.is_last) {
      records.is_exhausted = !record.has_diverged;
      break;
    }
    records.in_order.push_back(record);
    if (record.end != verdict::ok)
      records.first_failure = i;
  }
  records.executed = records.in_order.size();
  return records;
}

explore_result explore(const runner& run, const strategy_factory& make, const explore_options& options) {
  const auto started = std::chrono::steady_clock::now();
  auto records = options.jobs == 0 ? explore_here(run, make, options) : explore_in_workers(run, make, options);
  explore_result result;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  result.schedules_per_second = static_cast<double>(records.executed) / std::max(result.seconds, 1e-9);
  result.schedules = records.first_failure  ? *records.first_failure + 1
                     : records.is_exhausted ? records.in_order.size()
                                            : options.seeds;
  records.in_order.resize(std::min<std::size_t>(records.in_order.size(), result.schedules));
  if (make.is_exhaustive) {
    result.covered = records.in_order.empty() ? 0 : records.in_order.back().covered;
    if (records.is_exhausted && !records.first_failure)
      result.covered = 1;
    result.is_proven = records.is_exhausted && !records.first_failure;
  }

  std::vector<std::uint64_t> outcomes;
  for (const auto& each : records.in_order) {
    result.steps += each.steps;
    outcomes.push_back(each.outcome_hash);
  }
  std::sort(outcomes.begin(), outcomes.end());
  result.distinct_traces = static_cast<std::uint64_t>(std::unique(outcomes.begin(), outcomes.end()) - outcomes.begin());

  if (records.first_failure) {
    result.failing_seed = options.first_seed + *records.first_failure;
    result.is_crash = records.is_crash;
    if (records.is_crash) {
      result.failure.end = verdict::exception;
      result.failure.message = records.crash;
    } else {
      result.failure = confirmed(run, make, *result.failing_seed, records.in_order.back());
    }
  } else {
    // Every run passed, but a program that does not repeat itself has not been tested.
    auto again = confirmed(run, make, options.first_seed, records.in_order.front());
    if (again.is_failure()) {
      result.failing_seed = options.first_seed;
      result.failure = std::move(again);
    }
  }
  result.failures = result.failing_seed ? 1 : 0;
  return result;
}

} // namespace troupe
