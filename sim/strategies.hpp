// Strategies by name, as the command line and tests ask for them.
#pragma once
#include "sim/profile.hpp"
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A strategy as it can be asked for.
struct strategy_description {
  std::string name;
  std::string parameter;      ///< The name of its parameter; empty if it has none.
  std::uint64_t standard = 0; ///< What the parameter is if it is not given.
  std::string what;           ///< One line.
};
const std::vector<strategy_description>& known_strategies();
std::vector<std::string> strategy_names();

/// What is wrong with `spec`, in one line; empty if nothing is. A spec is a name, or `name:parameter=number`.
std::string strategy_problem(std::string_view spec);

/// Makes the strategies called `spec` for schedules of `run`, in the order model `model`. Some run the program a few
/// times beforehand, to learn how long its schedules are. @pre `strategy_problem(spec).empty()`
/// `profile` is where they learn it, if several share it.
strategy_factory make_strategies(std::string_view spec, const runner& run, order_model model = order_model::local,
                                 std::shared_ptr<profile_source> profile = nullptr);

} // namespace troupe
