// One cell of the table: how often, and how soon, one strategy finds the mistake of one program. Seconds are of
// processor time: what else the machine does is nothing to them.
#pragma once
#include "sim/scenario.hpp"
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace troupe::bench {

/// How much a cell may be.
struct cell_limits {
  std::uint64_t invocations = 10;
  std::uint64_t schedules = 2'000; ///< Of each invocation, at most.
  double seconds = 5;              ///< Of searching. What is not done then is left out.
  std::uint64_t shrunk = 0;        ///< Failures to shrink, each of another invocation.
  double speed_seconds = 0;        ///< For counting schedules per second.
  std::optional<order_model> model;
};

/// One shrunk failure.
struct shrunk_failure {
  std::uint64_t deliveries = 0;
  double seconds = 0;
};

/// What came out of it.
struct cell {
  std::string program;
  std::string strategy;
  /// One for each invocation that came to its end: the schedules up to the first failure, it included; nothing if it
  /// found none.
  std::vector<std::optional<std::uint64_t>> first_failures;
  std::uint64_t schedules = 0; ///< In all invocations, unfinished ones included.
  double seconds = 0;          ///< That they took.
  bool is_cut = false;         ///< Their time was up.
  bool is_exhausted = false;   ///< The search has run all schedules there are, and found nothing.
  std::vector<shrunk_failure> shrunk;
  double schedules_per_second = 0; ///< At random, failing ones included; 0: not counted.
  std::string verdict;             ///< Of the first failure, with its message.
  std::string error;               ///< Why there is no result: the process that measured has ended early.

  std::uint64_t found() const noexcept;
  /// Of the invocations that came to their end. @pre there are some
  double share() const noexcept { return static_cast<double>(found()) / static_cast<double>(first_failures.size()); }
  /// Of those that found something; nothing if there are none.
  std::optional<double> median_schedules() const;
};

/// Searches `program` again and again, each invocation with seeds of its own, as `explore --first-seed` would.
/// Depends on nothing but its arguments, apart from times and what the time limit cuts off.
cell measure_cell(const scenario& program, const std::string& strategy, const cell_limits& limits);

/// Nothing for no values.
std::optional<double> median_of(std::vector<double> values);

void to_json(nlohmann::ordered_json& object, const cell& from);
void from_json(const nlohmann::ordered_json& object, cell& to);

} // namespace troupe::bench
