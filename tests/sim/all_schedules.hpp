// Every outcome of a small program, by one of the exhaustive searches.
#pragma once
#include "sim/dfs_search.hpp"
#include "sim/dpor_search.hpp"
#include "sim/scenario.hpp"
#include "tests/sim/search_programs.hpp"
#include <doctest/doctest.h>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

namespace troupe::testing {

/// What a search meets.
struct met {
  std::set<std::uint64_t> outcomes; ///< By `run_result::outcome_hash`.
  std::set<std::string> texts;      ///< What the program left behind, if it leaves a text.
  std::uint64_t schedules = 0;
  std::uint64_t blocked = 0;
  bool proves_nothing = false;
};

/// @returns nothing if there are more schedules than `limit`
template <class Search, class Program>
std::optional<met> all_within(const Program& program, const simulation_options& options, std::uint64_t limit) {
  Search search;
  met result;
  const auto perform = [&](simulator& sim) {
    if constexpr (std::is_void_v<std::invoke_result_t<const Program&, simulator&>>)
      program(sim);
    else
      result.texts.insert(program(sim));
  };
  while (auto order = search.next()) {
    if (++result.schedules > limit)
      return std::nullopt;
    const auto run = run_scenario(perform, options, *order);
    REQUIRE_MESSAGE(!run.is_failure(), run.message);
    result.outcomes.insert(run.outcome_hash);
  }
  result.proves_nothing = search.proves_nothing();
  if constexpr (std::is_same_v<Search, dpor_search>) {
    result.blocked = search.blocked();
    result.schedules -= search.discarded();
  }
  return result;
}

template <class Search, class Program>
met all_of(const Program& program, const simulation_options& options) {
  auto result = all_within<Search>(program, options, 1'000'000);
  REQUIRE(result);
  return *std::move(result);
}

/// Writes down what it gets.
inline caf::behavior note(caf::event_based_actor*, std::string* into) {
  return {[into](int value) { *into += std::to_string(value); }};
}

/// Every text that `program` leaves behind in some schedule.
template <class Search = dpor_search, class Program>
std::set<std::string> texts(const Program& program, const simulation_options& options) {
  const auto result = all_of<Search>(program, options);
  CHECK(result.blocked == 0);
  return result.texts;
}

inline std::string joined(const std::set<std::string>& texts) {
  std::string result;
  for (auto& each : texts)
    result += (result.empty() ? "'" : " '") + each + "'";
  return result;
}

/// The same as one text, for messages.
template <class Program>
std::string all_texts(const Program& program, const simulation_options& options) {
  return joined(texts(program, options));
}

} // namespace troupe::testing
