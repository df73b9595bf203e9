// The default: strategies taking turns, since no single one finds everything.
#include "sim/portfolio.hpp"
#include "sim/strategies.hpp"
#include "sim/strategy_in_model.hpp"
#include <map>

namespace troupe {
namespace {

/// The order model of a member: the chosen one, or the narrower of that and another one.
enum class width { chosen, local, atomic };

struct member {
  std::string_view spec;
  width in;
};
/// By how often each found what is in examples/protocols (bench/find): `pos` and `surw` find it all, some of it the
/// one much sooner, some the other. The others are for what those programs do not have. `ql` is not among them: it
/// costs ten times as much, and would tie each schedule to the ones before.
constexpr member members[] = {
    {"pos", width::chosen}, {"surw", width::chosen},          {"pos", width::local},   {"surw", width::local},
    {"pos", width::chosen}, {"speeds", width::chosen},        {"pos", width::local},   {"surw", width::chosen},
    {"pos", width::chosen}, {"surw", width::local},           {"pos", width::local},   {"random", width::chosen},
    {"pos", width::chosen}, {"surw", width::chosen},          {"surw", width::atomic}, {"surw", width::local},
    {"pct", width::chosen}, {"surw", width::chosen},          {"pos", width::local},   {"surw", width::local},
    {"pos", width::chosen}, {"pctcp:depth=10", width::local}, {"pos", width::local},   {"surw", width::chosen},
    {"pos", width::chosen}, {"surw", width::local},           {"pos", width::local},   {"delay", width::local},
    {"pos", width::chosen}, {"surw", width::chosen},          {"pos", width::atomic},  {"surw", width::local},
};
constexpr std::uint64_t count = std::size(members);

/// From `atomic` on each model has the outcomes of the ones before it, and more.
order_model narrowed(order_model chosen, width limit) noexcept {
  if (limit == width::chosen || chosen == order_model::atomic)
    return chosen;
  return limit == width::atomic ? order_model::atomic : order_model::local;
}

} // namespace

strategy_factory make_portfolio(const runner& run, order_model model) {
  const auto in_model = [run](order_model where) -> runner {
    return [run, where](std::uint64_t seed, strategy& order, bool trace) {
      strategy_in_model wrapped{order, where};
      return run(seed, wrapped, trace);
    };
  };
  std::map<order_model, std::shared_ptr<profile_source>> profiles;
  std::vector<std::pair<order_model, strategy_factory>> factories;
  for (auto& each : members) {
    const auto where = narrowed(model, each.in);
    auto& profile = profiles[where];
    if (!profile)
      profile = std::make_shared<profile_source>(in_model(where));
    factories.emplace_back(where, make_strategies(each.spec, in_model(where), where, profile));
  }
  return {[factories](std::uint64_t seed) -> std::unique_ptr<strategy> {
    const auto& [where, make] = factories[static_cast<std::size_t>(seed % count)];
    return std::make_unique<strategy_in_model>(make(seed), where);
  }};
}

} // namespace troupe
