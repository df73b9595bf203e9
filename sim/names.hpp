// The simulator's enumerators by name, for tapes, reports and the command line.
#pragma once
#include "sim/decision.hpp"
#include "sim/run_result.hpp"
#include "sim/simulation_options.hpp"
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// The inverse of `to_string`. @returns nothing for text that names none.
std::optional<decision_kind> decision_kind_named(std::string_view name) noexcept;
/// The same for an event.
std::optional<event_kind> event_kind_named(std::string_view name) noexcept;
/// The same for a verdict.
std::optional<verdict> verdict_named(std::string_view name) noexcept;
/// The same for an order model.
std::optional<order_model> order_model_named(std::string_view name) noexcept;
/// All of them, as `to_string` names them.
std::vector<std::string> order_model_names();

} // namespace troupe
