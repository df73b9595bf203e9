// Scenarios: named programs for the simulator, and the command line that every program with scenarios gets.
#pragma once
#include "sim/run_result.hpp"
#include "sim/simulation_options.hpp"
#include <functional>
#include <string>
#include <vector>

namespace troupe {

class simulator;

/// A program under test. It is run again and again, each time from scratch: it must keep no state between runs.
struct scenario {
  std::string name;
  std::string description;
  std::function<void(simulator&)> body;
  simulation_options options = {};
};

/// Runs `body` once, its order decided by `order`. Never throws for what the program under test does.
run_result run_scenario(const std::function<void(simulator&)>& body, const simulation_options& options,
                        strategy& order);

/// A set of scenarios. Programs build theirs in `main`; nothing is registered behind their back.
class scenario_set {
public:
  /// @throws std::invalid_argument for an empty or repeated name.
  void add(scenario s);
  const scenario* find(std::string_view name) const noexcept;
  const std::vector<scenario>& all() const noexcept { return all_; }

private:
  std::vector<scenario> all_;
};

/// The command line of a scenario program:
///   list | explore NAME ... | replay NAME (--seed S | --tape FILE | --bytes FILE) [--trace]
///   | shrink NAME --tape FILE --out FILE
/// @returns the exit status: 0 no failure, 1 a failure was found, 2 unusable arguments or input (said in one line).
int scenario_main(const scenario_set& scenarios, int argc, const char* const* argv);

} // namespace troupe
