// Strategies by name.
#include "sim/strategies.hpp"
#include "sim/delay_strategy.hpp"
#include "sim/dfs_search.hpp"
#include "sim/dpor_search.hpp"
#include "sim/fifo_strategy.hpp"
#include "sim/pct_strategy.hpp"
#include "sim/pctcp_strategy.hpp"
#include "sim/portfolio.hpp"
#include "sim/pos_strategy.hpp"
#include "sim/profile.hpp"
#include "sim/ql_strategy.hpp"
#include "sim/random_strategy.hpp"
#include "sim/speeds_strategy.hpp"
#include "sim/surw_strategy.hpp"
#include "sim/text.hpp"
#include <algorithm>

namespace troupe {
namespace {

/// A name and its parameter, taken apart.
struct parsed_spec {
  const strategy_description* which = nullptr;
  std::uint64_t parameter = 0;
  std::string problem;
};

parsed_spec parse(std::string_view spec) {
  parsed_spec result;
  auto name = spec.substr(0, spec.find(':'));
  for (auto& each : known_strategies())
    if (each.name == name)
      result.which = &each;
  if (!result.which) {
    result.problem = unknown_name("strategy", name, strategy_names());
    return result;
  }
  auto& known = *result.which;
  result.parameter = known.standard;
  if (name.size() == spec.size())
    return result;
  auto given = spec.substr(name.size() + 1);
  if (known.parameter.empty()) {
    result.problem = "strategy \"" + known.name + "\" has no parameters";
    return result;
  }
  auto value = given.substr(std::min(given.size(), known.parameter.size() + 1));
  auto number = unsigned_number(value);
  if (given.substr(0, known.parameter.size() + 1) != known.parameter + "=" || !number || *number < 1 || *number > 1000)
    result.problem = "strategy \"" + one_line(spec) + "\": expected " + known.name + ":" + known.parameter +
                     "=NUMBER, a number from 1 to 1000";
  else
    result.parameter = *number;
  return result;
}

template <class Make>
strategy_factory profiled(const runner& run, std::shared_ptr<profile_source> profile, Make make) {
  if (!profile)
    profile = std::make_shared<profile_source>(run);
  return {[=](std::uint64_t seed) -> std::unique_ptr<strategy> { return make(seed, profile->get(seed)); }};
}

/// Learns from one schedule to the next; asked for another one than the next, it learns anew up to there.
strategy_factory learning(const runner& run) {
  constexpr std::uint64_t block = 10'000; // schedules after which it forgets everything
  struct state {
    std::optional<std::uint64_t> next;
    std::shared_ptr<ql_memory> memory;
  };
  auto known = std::make_shared<state>();
  return {[=](std::uint64_t seed) -> std::unique_ptr<strategy> {
            if (known->next != seed || seed % block == 0) {
              known->memory = std::make_shared<ql_memory>();
              for (auto earlier = seed - seed % block; earlier < seed; ++earlier) {
                ql_strategy order{earlier, known->memory};
                run(earlier, order, false);
              }
            }
            known->next = seed + 1;
            return std::make_unique<ql_strategy>(seed, known->memory);
          },
          1};
}

template <class Search, class... Arguments>
strategy_factory exhaustive(const runner& run, Arguments... arguments) {
  struct state {
    std::unique_ptr<Search> search;
    std::uint64_t next = 0;
  };
  auto known = std::make_shared<state>();
  strategy_factory result;
  result.make = [=](std::uint64_t number) -> std::unique_ptr<strategy> {
    if (!known->search || known->next > number) {
      known->search = std::make_unique<Search>(arguments...);
      known->next = 0;
    }
    for (; known->next < number; ++known->next) {
      auto earlier = known->search->next();
      if (!earlier)
        return nullptr;
      run(0, *earlier, false);
    }
    ++known->next;
    return known->search->next();
  };
  result.lanes = 1;
  result.is_exhaustive = true;
  result.covered = [=] { return known->search ? known->search->covered() : 0; };
  result.proves_nothing = [=] { return known->search && known->search->proves_nothing(); };
  return result;
}

} // namespace

const std::vector<strategy_description>& known_strategies() {
  static const std::vector<strategy_description> all = {
      {"portfolio", "", 0, "All of the sampling ones in turn, with several parameters and in several order models"},
      {"fifo", "", 0, "The default order: what was enabled first happens first"},
      {"random", "", 0, "A random walk"},
      {"speeds", "", 0, "A random walk in which participants are of different speeds"},
      {"pct", "depth", 3, "Random priorities of participants that change at depth - 1 random points"},
      {"pctcp", "depth", 3, "The same for chains of causally ordered events"},
      {"pos", "", 0, "Random priorities of events, drawn anew after a lost race"},
      {"surw", "places", 2, "The orders of arrivals at a few random receivers, about equally likely"},
      {"ql", "", 0, "Q-learning that avoids states seen often; in one process"},
      {"delay", "delays", 3, "The default order but for a few participants that are put off"},
      {"dfs", "", 0, "Every schedule once; in one process"},
      {"dpor", "memory", 1, "One schedule for every outcome; in one process; memory=2: tasks share memory"},
  };
  return all;
}

std::vector<std::string> strategy_names() {
  std::vector<std::string> names;
  for (auto& each : known_strategies())
    names.push_back(each.name);
  return names;
}

std::string strategy_problem(std::string_view spec) { return parse(spec).problem; }

strategy_factory make_strategies(std::string_view spec, const runner& run, order_model model,
                                 std::shared_ptr<profile_source> profile) {
  const auto parsed = parse(spec);
  const auto name = std::string_view(parsed.which->name);
  const auto n = parsed.parameter;
  using made = std::unique_ptr<strategy>;
  if (name == "fifo")
    return {[](std::uint64_t) -> made { return std::make_unique<fifo_strategy>(); }};
  if (name == "random")
    return {[](std::uint64_t seed) -> made { return std::make_unique<random_strategy>(seed); }};
  if (name == "speeds")
    return profiled(run, std::move(profile),
                    [](std::uint64_t seed, const std::shared_ptr<const schedule_profile>& known) {
                      return std::make_unique<speeds_strategy>(seed, known);
                    });
  if (name == "pos")
    return profiled(run, std::move(profile),
                    [](std::uint64_t seed, const std::shared_ptr<const schedule_profile>& known) {
                      return std::make_unique<pos_strategy>(seed, known);
                    });
  if (name == "pct")
    return profiled(run, std::move(profile),
                    [n](std::uint64_t seed, const std::shared_ptr<const schedule_profile>& known) {
                      return std::make_unique<pct_strategy>(seed, n, known);
                    });
  if (name == "pctcp")
    return profiled(run, std::move(profile),
                    [n](std::uint64_t seed, const std::shared_ptr<const schedule_profile>& known) {
                      return std::make_unique<pctcp_strategy>(seed, n, known);
                    });
  if (name == "surw")
    return profiled(run, std::move(profile),
                    [n](std::uint64_t seed, const std::shared_ptr<const schedule_profile>& known) {
                      return std::make_unique<surw_strategy>(seed, n, known);
                    });
  if (name == "delay")
    return profiled(run, std::move(profile),
                    [n](std::uint64_t seed, const std::shared_ptr<const schedule_profile>& known) {
                      return std::make_unique<delay_strategy>(seed, n, known);
                    });
  if (name == "ql")
    return learning(run);
  if (name == "dfs")
    return exhaustive<dfs_search>(run);
  if (name == "dpor")
    return exhaustive<dpor_search>(run,
                                   n == 1 ? dpor_search::memory::messages_only : dpor_search::memory::all_dependent);
  return make_portfolio(run, model);
}

} // namespace troupe
