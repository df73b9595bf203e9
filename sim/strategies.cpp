// Strategies by name.
#include "sim/strategies.hpp"
#include "sim/fifo_strategy.hpp"
#include "sim/random_strategy.hpp"
#include "sim/text.hpp"

namespace troupe {
namespace {

struct named_strategy {
  const char* name;
  std::unique_ptr<strategy> (*make)(std::uint64_t seed);
};

constexpr named_strategy known[] = {
    {"fifo", [](std::uint64_t) -> std::unique_ptr<strategy> { return std::make_unique<fifo_strategy>(); }},
    {"random", [](std::uint64_t seed) -> std::unique_ptr<strategy> { return std::make_unique<random_strategy>(seed); }},
};

} // namespace

std::vector<std::string> strategy_names() {
  std::vector<std::string> names;
  for (const auto& each : known)
    names.emplace_back(each.name);
  return names;
}

std::unique_ptr<strategy> make_strategy(std::string_view spec, std::uint64_t seed, std::string& error) {
  for (const auto& each : known)
    if (spec == each.name)
      return each.make(seed);
  error = unknown_name("strategy", spec, strategy_names());
  return nullptr;
}

} // namespace troupe
