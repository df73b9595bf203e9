// The simulator in a page: explores the checkout scenarios while the page stays alive.
#include "examples/checkout/scenarios.hpp"
#include "js/module.hpp"
#include "sim/chart.hpp"
#include "sim/explore.hpp"
#include "sim/shrink.hpp"
#include "sim/strategies.hpp"
#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

using nlohmann::json;
using troupe::async;

namespace {

constexpr std::uint64_t largest_seed = (std::uint64_t{1} << 53) - 1; // that JavaScript can count to
constexpr std::uint64_t seeds_per_turn = 16;

const troupe::scenario_set& scenarios() {
  static const auto all = [] {
    troupe::scenario_set made;
    checkout::add_scenarios(made);
    return made;
  }();
  return all;
}

// Whether each schedule builds upon all earlier ones, which a page that explores in turns does not keep.
bool needs_all_schedules(const troupe::strategy_factory& strategies) { return strategies.lanes == 1; }

// What there is to choose from.
async<std::string> list(troupe::js::invocation) {
  auto found = json::array();
  for (const auto& each : scenarios().all())
    found.push_back({{"name", each.name}, {"description", each.description}});
  auto strategies = json::array();
  for (const auto& name : troupe::strategy_names())
    if (!needs_all_schedules(troupe::make_strategies(name, {})))
      strategies.push_back(name);
  co_return json{{"scenarios", found}, {"strategies", strategies}}.dump();
}

std::uint64_t number(const json& request, const char* name, std::uint64_t least) {
  const auto& value = request.at(name);
  if (!value.is_number_unsigned() || value < least || value > largest_seed)
    throw std::invalid_argument{std::string{name} + " is a whole number from " + std::to_string(least) + " on"};
  return value;
}

// The shortest run that fails for the same reason, as a chart.
json failure_of(const troupe::scenario& program, const std::string& strategy, const troupe::runner& run,
                const troupe::explore_result& found) {
  auto options = program.options;
  options.seed = *found.failing_seed;
  const auto recorded = troupe::make_tape("page", program.name, strategy, options, found.failure);
  const auto shrunk = troupe::shrink(run, recorded);
  const auto chart =
      shrunk.reproduced ? troupe::chart(troupe::explain(run, shrunk.shortest)) : troupe::chart(found.failure);
  return {{"seed", *found.failing_seed},
          {"verdict", troupe::to_string(found.failure.end)},
          {"message", found.failure.message},
          {"chart", chart},
          {"deliveriesBefore", shrunk.deliveries_before},
          {"deliveriesAfter", shrunk.deliveries_after},
          {"shrinkRuns", shrunk.runs}};
}

// {scenario, strategy, firstSeed, seeds} -> {schedules, steps, failure}. Calls `progress(schedules)` as it goes.
async<std::string> explore(troupe::js::invocation in) {
  const auto request = json::parse(in.arguments);
  const auto* program = scenarios().find(request.at("scenario").get<std::string>());
  if (!program)
    throw std::invalid_argument{"there is no scenario " + request.at("scenario").dump()};
  const auto strategy = request.at("strategy").get<std::string>();
  if (const auto problem = troupe::strategy_problem(strategy); !problem.empty())
    throw std::invalid_argument{problem};
  const auto first = number(request, "firstSeed", 0), seeds = number(request, "seeds", 1);
  const auto run = troupe::make_runner(program->body, program->options);
  const auto make = troupe::make_strategies(strategy, run, program->options.model);
  if (needs_all_schedules(make))
    throw std::invalid_argument{"the strategy " + strategy + " is not for exploring in turns; use the command line"};
  std::uint64_t done = 0, steps = 0;
  json failure;
  while (done < seeds && failure.is_null()) {
    const auto found = troupe::explore(run, make, {first + done, std::min(seeds_per_turn, seeds - done), 0});
    done += found.schedules;
    steps += found.steps;
    if (found.failing_seed)
      failure = failure_of(*program, strategy, run, found);
    // The page draws, and may cancel, while its answer is awaited.
    co_await troupe::js::call("progress", std::to_string(done));
  }
  co_return json{{"schedules", done}, {"steps", steps}, {"failure", failure}}.dump();
}

const troupe::js::named_task list_task{"list", list};
const troupe::js::named_task explore_task{"explore", explore};

} // namespace
