// One cell of the table: how often, and how soon, one strategy finds the mistake of one program.
#include "bench/find/cell.hpp"
#include "sim/random_strategy.hpp"
#include "sim/runner.hpp"
#include "sim/shrink.hpp"
#include "sim/strategies.hpp"
#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

namespace troupe::bench {
namespace {

/// Of processor time, since `start`.
double seconds_since(std::clock_t start) { return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC; }

/// Strategies that learn forget everything after as many schedules of theirs. Invocations start at such points, so that
/// none profits from what another one has learned.
constexpr std::uint64_t learning_block = 10'000;

/// The first seed of each invocation is a multiple of this.
std::uint64_t stride_of(const strategy_factory& strategies, std::uint64_t schedules) {
  const auto block = learning_block * std::max<std::uint64_t>(1, strategies.lanes);
  return (schedules + block - 1) / block * block;
}

/// The search of one cell, an invocation at a time.
class search {
public:
  search(const scenario& program, const std::string& strategy, const cell_limits& limits)
      : program_(program), limits_(limits), options_(program.options) {
    options_.model = limits.model.value_or(options_.model);
    run_ = make_runner(program.body, options_);
    result_.program = program.name;
    result_.strategy = strategy;
  }

  cell operator()() {
    auto invocations = limits_.invocations;
    for (std::uint64_t i = 0; i < invocations && !result_.is_cut && !result_.is_exhausted; ++i) {
      // Anew each time, as in a program that is started anew.
      const auto strategies = make_strategies(result_.strategy, run_, options_.model);
      if (strategies.is_exhaustive)
        invocations = 1; // It has no seeds: another invocation would be the same.
      invoke(strategies, i * stride_of(strategies, limits_.schedules));
    }
    if (limits_.speed_seconds > 0)
      result_.schedules_per_second = speed();
    return std::move(result_);
  }

private:
  double speed() const {
    const auto started = std::clock();
    std::uint64_t count = 0;
    double seconds = 0;
    for (; seconds < limits_.speed_seconds; ++count, seconds = seconds_since(started)) {
      random_strategy order(count);
      run_(count, order, false);
    }
    return static_cast<double>(count) / seconds;
  }

  void invoke(const strategy_factory& strategies, std::uint64_t first_seed) {
    for (std::uint64_t done = 0; done < limits_.schedules; ++done) {
      if (result_.seconds > limits_.seconds) {
        result_.is_cut = true;
        return;
      }
      const auto seed = first_seed + done;
      const auto started = std::clock();
      const auto order = strategies(seed);
      if (!order) {
        result_.is_exhausted = !(strategies.proves_nothing && strategies.proves_nothing());
        break;
      }
      const auto ran = run_(strategies.program_seed(seed), *order, false);
      result_.seconds += seconds_since(started);
      ++result_.schedules;
      if (!ran.is_failure())
        continue;
      result_.first_failures.push_back(done + 1);
      if (result_.verdict.empty())
        result_.verdict = std::string(to_string(ran.end)) + ": " + ran.message.substr(0, ran.message.find('\n'));
      if (result_.shrunk.size() < limits_.shrunk)
        shorten(strategies.program_seed(seed), ran);
      return;
    }
    result_.first_failures.push_back(std::nullopt);
  }

  void shorten(std::uint64_t seed, const run_result& failure) {
    auto set_up = options_;
    set_up.seed = seed;
    const auto recorded = make_tape("find", program_.name, result_.strategy, set_up, failure);
    const auto started = std::clock();
    const auto shrunk = shrink(make_runner(program_.body, recorded.options), recorded);
    if (!shrunk.reproduced)
      throw std::runtime_error(program_.name + ": seed " + std::to_string(seed) + " of " + result_.strategy +
                               " fails, but its tape does not repeat it");
    result_.shrunk.push_back({shrunk.run.deliveries, seconds_since(started)});
  }

  const scenario& program_;
  cell_limits limits_;
  simulation_options options_;
  runner run_;
  cell result_;
};

} // namespace

std::uint64_t cell::found() const noexcept {
  return static_cast<std::uint64_t>(
      std::count_if(first_failures.begin(), first_failures.end(), [](const auto& each) { return each.has_value(); }));
}

std::optional<double> cell::median_schedules() const {
  std::vector<double> values;
  for (const auto& each : first_failures)
    if (each)
      values.push_back(static_cast<double>(*each));
  return median_of(std::move(values));
}

std::optional<double> median_of(std::vector<double> values) {
  if (values.empty())
    return std::nullopt;
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

cell measure_cell(const scenario& program, const std::string& strategy, const cell_limits& limits) {
  return search(program, strategy, limits)();
}

void to_json(nlohmann::ordered_json& object, const cell& from) {
  object = {{"program", from.program},
            {"strategy", from.strategy},
            {"invocations", from.first_failures.size()},
            {"found", from.found()},
            {"median_schedules", nullptr},
            {"first_failures", nlohmann::ordered_json::array()},
            {"schedules", from.schedules},
            {"seconds", from.seconds},
            {"is_cut", from.is_cut},
            {"is_exhausted", from.is_exhausted},
            {"shrunk", nlohmann::ordered_json::array()},
            {"schedules_per_second", from.schedules_per_second},
            {"verdict", from.verdict},
            {"error", from.error}};
  if (const auto median = from.median_schedules())
    object["median_schedules"] = *median;
  for (const auto& each : from.first_failures)
    object["first_failures"].push_back(each ? nlohmann::ordered_json(*each) : nlohmann::ordered_json(nullptr));
  for (const auto& each : from.shrunk)
    object["shrunk"].push_back({{"deliveries", each.deliveries}, {"seconds", each.seconds}});
}

void from_json(const nlohmann::ordered_json& object, cell& to) {
  object.at("program").get_to(to.program);
  object.at("strategy").get_to(to.strategy);
  for (const auto& each : object.at("first_failures"))
    to.first_failures.push_back(each.is_null() ? std::nullopt : std::optional(each.get<std::uint64_t>()));
  object.at("schedules").get_to(to.schedules);
  object.at("seconds").get_to(to.seconds);
  object.at("is_cut").get_to(to.is_cut);
  object.at("is_exhausted").get_to(to.is_exhausted);
  for (const auto& each : object.at("shrunk"))
    to.shrunk.push_back({each.at("deliveries"), each.at("seconds")});
  object.at("schedules_per_second").get_to(to.schedules_per_second);
  object.at("verdict").get_to(to.verdict);
  object.at("error").get_to(to.error);
}

} // namespace troupe::bench
