// Strategies by name, as the command line and tests ask for them.
#pragma once
#include "sim/decision.hpp"
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// The names that `make_strategy` knows.
std::vector<std::string> strategy_names();

/// Makes the strategy called `spec` for one run under `seed`.
/// @returns null for an unknown name; `error` then says so in one line.
std::unique_ptr<strategy> make_strategy(std::string_view spec, std::uint64_t seed, std::string& error);

} // namespace troupe
