// The scenarios of a program.
#include "sim/scenario.hpp"
#include <algorithm>
#include <stdexcept>

namespace troupe {

void scenario_set::add(scenario s) {
  if (s.name.empty())
    throw std::invalid_argument("a scenario needs a name");
  if (find(s.name))
    throw std::invalid_argument("two scenarios are called \"" + s.name + "\"");
  all_.push_back(std::move(s));
}

const scenario* scenario_set::find(std::string_view name) const noexcept {
  auto found = std::find_if(all_.begin(), all_.end(), [&](const scenario& each) { return each.name == name; });
  return found == all_.end() ? nullptr : &*found;
}

} // namespace troupe
