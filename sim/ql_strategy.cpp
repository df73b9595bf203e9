// Reinforcement learning: schedules that lead to states seen often are made unlikely.
#include "sim/ql_strategy.hpp"
#include <cmath>

namespace troupe {
namespace {
// The constants of Coyote's implementation.
constexpr double learning_rate = 0.3;
constexpr double discount = 0.7;
} // namespace

double ql_memory::action_values::best() const noexcept {
  double result = of.empty() ? 0 : -HUGE_VAL;
  for (auto& [action, value] : of)
    result = std::max(result, value);
  return result;
}

std::size_t ql_strategy::pick_event(const candidates& among) {
  if (memory_->runs > 0 && events_.size() > 3 * memory_->longest + 100)
    return pick_any(among);
  return pick_action(state(), among, events_);
}

std::size_t ql_strategy::pick_value(const candidates& among) {
  const auto asker = among[0];
  const auto picked = pick_action(mix(asker.place, mix(asker.content, answers_)), among, values_[asker.place]);
  answers_ = mix(answers_, picked + 1);
  return picked;
}

std::size_t ql_strategy::pick_action(std::uint64_t state, const candidates& among, path& along) {
  const auto action = [&](std::size_t i) {
    return among[i].kind == event_kind::value ? among[i].identity : action_of(among[i]);
  };
  auto& known = memory_->values[state].of;
  std::vector<double> weights(among.size());
  double highest = -HUGE_VAL;
  for (std::size_t i = 0; i < among.size(); ++i)
    highest = std::max(highest, weights[i] = known.try_emplace(action(i), 0.0).first->second);
  double sum = 0;
  for (auto& each : weights)
    sum += each = std::exp(each - highest);
  auto drawn = static_cast<double>(random_() >> 11) * 0x1p-53 * sum;
  std::size_t picked = 0;
  while (picked + 1 < weights.size() && drawn >= weights[picked])
    drawn -= weights[picked++];
  along.push_back({state, action(picked)});
  return picked;
}

void ql_strategy::ended(const run_result&) {
  if (memory_->runs++ < 5)
    memory_->longest = std::max(memory_->longest, events_.size());
  learn(events_, state());
  for (auto& [asker, along] : values_)
    learn(along, mix(asker));
}

/// In the order in which the states were met, as each costs more the more often it was.
void ql_strategy::learn(const path& along, std::uint64_t end) {
  for (std::size_t i = 0; i < along.size(); ++i) {
    auto next = i + 1 < along.size() ? along[i + 1].state : end;
    auto reward = -static_cast<double>(++memory_->visits[next]);
    auto& value = memory_->values[along[i].state].of[along[i].action];
    value = (1 - learning_rate) * value + learning_rate * (reward + discount * memory_->values[next].best());
  }
}

} // namespace troupe
