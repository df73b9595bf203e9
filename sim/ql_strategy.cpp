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
  if (memory_->runs > 0 && path_.size() > 3 * memory_->longest + 100)
    return pick_any(among);
  auto& known = memory_->values[state()].of;
  std::vector<double> weights(among.size());
  double highest = -HUGE_VAL;
  for (std::size_t i = 0; i < among.size(); ++i)
    highest = std::max(highest, weights[i] = known.try_emplace(action_of(among[i]), 0.0).first->second);
  double sum = 0;
  for (auto& each : weights)
    sum += each = std::exp(each - highest);
  auto drawn = static_cast<double>(random_() >> 11) * 0x1p-53 * sum;
  std::size_t picked = 0;
  while (picked + 1 < weights.size() && drawn >= weights[picked])
    drawn -= weights[picked++];
  path_.push_back({state(), action_of(among[picked])});
  return picked;
}

void ql_strategy::ended(const run_result&) {
  if (memory_->runs++ < 5)
    memory_->longest = std::max(memory_->longest, path_.size());
  // In the order in which they were met, as each costs more the more often it was.
  for (std::size_t i = 0; i < path_.size(); ++i) {
    auto next = i + 1 < path_.size() ? path_[i + 1].state : state();
    auto reward = -static_cast<double>(++memory_->visits[next]);
    auto& value = memory_->values[path_[i].state].of[path_[i].action];
    value = (1 - learning_rate) * value + learning_rate * (reward + discount * memory_->values[next].best());
  }
}

} // namespace troupe
