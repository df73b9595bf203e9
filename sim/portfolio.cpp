// The default: strategies taking turns, since no single one finds everything.
#include "sim/portfolio.hpp"
#include "sim/strategies.hpp"
#include "sim/strategy_in_model.hpp"

namespace troupe {

strategy_factory make_portfolio(const runner& run, order_model model) {
  struct member {
    std::string_view spec;
    order_model where;
  };
  const auto narrow = model == order_model::local ? order_model::atomic : model;
  const std::vector<member> chosen = {
      {"random", model},        {"random", narrow},       {"pct:depth=3", model},     {"pct:depth=3", narrow},
      {"pos", model},           {"pos", narrow},          {"pctcp:depth=3", model},   {"pctcp:depth=3", narrow},
      {"pct:depth=10", narrow}, {"pct:depth=20", narrow}, {"delay:delays=5", narrow}, {"pct:depth=2", model},
      {"surw", model},          {"ql", narrow},           {"pct:depth=5", narrow},    {"delay:delays=2", model},
  };
  const std::uint64_t count = chosen.size();
  std::vector<strategy_factory> members;
  for (std::uint64_t slot = 0; slot < count; ++slot) {
    const auto where = chosen[slot].where;
    // What a member runs beforehand, or again, has to be what the portfolio would run.
    const runner there = [run, where, slot, count](std::uint64_t seed, strategy& order, bool trace) {
      strategy_in_model wrapped{order, where};
      return run(seed * count + slot, wrapped, trace);
    };
    members.push_back(make_strategies(chosen[slot].spec, there, where));
  }
  strategy_factory all;
  all.lanes = count;
  all.is_free = [members](std::uint64_t lane) { return members[static_cast<std::size_t>(lane)].lanes == 0; };
  all.make = [members, chosen](std::uint64_t seed) -> std::unique_ptr<strategy> {
    auto slot = static_cast<std::size_t>(seed % members.size());
    return std::make_unique<strategy_in_model>(members[slot](seed / members.size()), chosen[slot].where);
  };
  return all;
}

} // namespace troupe
