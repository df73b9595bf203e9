// Every outcome of a small program, by one of the exhaustive searches.
#pragma once
#include "sim/dfs_search.hpp"
#include "sim/dpor_search.hpp"
#include "sim/scenario.hpp"
#include "tests/sim/search_programs.hpp"
#include <doctest/doctest.h>
#include <set>
#include <string>
#include <type_traits>

namespace troupe::testing {

/// What a search meets, by `run_result::outcome_hash`.
struct met {
  std::set<std::uint64_t> outcomes;
  std::uint64_t schedules = 0;
  std::uint64_t blocked = 0;
  bool proves_nothing = false;
};

template <class Search>
met all_of(const body& program, const simulation_options& options) {
  Search search;
  met result;
  while (auto order = search.next()) {
    auto run = run_scenario(program, options, *order);
    CHECK_MESSAGE(!run.is_failure(), run.message);
    result.outcomes.insert(run.outcome_hash);
    ++result.schedules;
    REQUIRE(result.schedules < 1'000'000);
  }
  result.proves_nothing = search.proves_nothing();
  if constexpr (std::is_same_v<Search, dpor_search>)
    result.blocked = search.blocked();
  return result;
}

/// Writes down what it gets.
inline caf::behavior note(caf::event_based_actor*, std::string* into) {
  return {[into](int value) { *into += std::to_string(value); }};
}

/// Every text that `program` leaves behind in some schedule.
template <class Search = dpor_search>
std::set<std::string> texts(const std::function<std::string(simulator&)>& program, const simulation_options& options) {
  std::set<std::string> seen;
  Search search;
  while (auto order = search.next()) {
    auto run = run_scenario([&](simulator& sim) { seen.insert(program(sim)); }, options, *order);
    CHECK_MESSAGE(!run.is_failure(), run.message);
  }
  if constexpr (std::is_same_v<Search, dpor_search>)
    CHECK(search.blocked() == 0);
  return seen;
}

inline std::string joined(const std::set<std::string>& texts) {
  std::string result;
  for (auto& each : texts)
    result += (result.empty() ? "'" : " '") + each + "'";
  return result;
}

/// The same as one text, for messages.
inline std::string all_texts(const std::function<std::string(simulator&)>& program, const simulation_options& options) {
  return joined(texts(program, options));
}

} // namespace troupe::testing
