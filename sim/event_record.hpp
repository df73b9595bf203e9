// Every event of a run as it happened: what explaining a run and repeating parts of it start from.
#pragma once
#include "sim/forwarding_strategy.hpp"
#include "sim/run_result.hpp"
#include "sim/runner.hpp"
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace troupe {

/// An event by what it is, whatever its place in the order.
struct event_name {
  std::uint64_t identity = 0;
  event_kind kind = event_kind::handle;
  bool operator==(const event_name&) const = default;
};

/// One event that happened. Its place among the others is how many had happened before.
struct recorded_event {
  candidate what;               ///< Its `key` is null.
  std::uint64_t enabled_at = 0; ///< How many events had become enabled before it: the lower one is the older one.
};

/// One value that was drawn: a decision of the kind `delay` or `random`.
struct recorded_value {
  decision_kind kind = decision_kind::random;
  /// Identity of the event that asks, or else of the last one that had begun; 0 before the first.
  std::uint64_t during = 0;
  std::uint32_t index = 0;
  std::uint32_t count = 0;
};

/// The events and values of one run, in order. Empty if the program does not tell its strategy of its events.
struct event_record {
  std::vector<recorded_event> events;
  std::vector<recorded_value> values;
};

/// Leaves every decision to another strategy and writes down what happens.
class event_recorder final : public forwarding_strategy {
public:
  /// `inner` must outlive the recorder.
  explicit event_recorder(strategy& inner) noexcept : forwarding_strategy(inner) {}
  bool is_watching() const noexcept override { return true; }
  std::size_t pick(decision_kind kind, const candidates& among) override;
  void enabled(const candidate& event) override;
  void withdrawn(const candidate& event) override;
  void happened(const candidate& event) override;

  const event_record& record() const noexcept { return record_; }
  event_record take() noexcept { return std::move(record_); }

private:
  event_record record_;
  std::unordered_map<const void*, std::uint64_t> enabled_at_;
  std::uint64_t enabled_ = 0;
};

/// A run and its record.
struct recorded_run {
  run_result result; ///< With its trace, if it was asked for.
  event_record record;
};

/// Runs once under `seed` as `order` decides and writes down what happens.
recorded_run run_recorded(const runner& run, std::uint64_t seed, strategy& order, bool trace);

/// Where each recorded event stands in the trace of the same run; `no_entry` for the few that traces do not tell of.
std::vector<std::size_t> trace_entries(const event_record& record, const std::vector<trace_entry>& trace);
inline constexpr std::size_t no_entry = ~std::size_t{0};

} // namespace troupe
