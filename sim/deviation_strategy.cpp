// Schedules as sparse deviations from the default order.
#include "sim/deviation_strategy.hpp"
#include "sim/random_source.hpp"

namespace troupe {
namespace {

std::uint64_t name_of(const candidate& event) noexcept {
  return mix(event.identity, static_cast<std::uint64_t>(event.kind));
}

std::uint64_t oldest_of(decision_kind kind, const candidates& among, std::uint64_t (&values)[4]) noexcept {
  return kind == decision_kind::event || kind == decision_kind::fault ? name_of(among[0])
                                                                      : values[static_cast<std::size_t>(kind)]++;
}

} // namespace

std::size_t deviation_recorder::pick(decision_kind kind, const candidates& among) {
  const auto oldest = oldest_of(kind, among, values_);
  const auto index = forwarding_strategy::pick(kind, among);
  if (index != 0)
    deviations_.push_back({kind, oldest, name_of(among[index])});
  return index;
}

deviation_strategy::deviation_strategy(const std::vector<deviation>& deviations, std::optional<order_model> model)
    : model_(model) {
  for (const auto& each : deviations)
    of_kind_[static_cast<std::size_t>(each.kind)][each.oldest].instead.push_back(each.instead);
}

std::size_t deviation_strategy::pick(decision_kind kind, const candidates& among) {
  auto& wanted = of_kind_[static_cast<std::size_t>(kind)];
  const auto found = wanted.find(oldest_of(kind, among, values_));
  if (found == wanted.end())
    return 0;
  auto& turn = found->second;
  while (turn.next < turn.instead.size()) {
    const auto wanted_next = turn.instead[turn.next++];
    for (std::size_t index = 1; index < among.size(); ++index)
      if (name_of(among[index]) == wanted_next)
        return index;
  }
  return 0;
}

} // namespace troupe
