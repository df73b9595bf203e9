// Finds that a run goes round in circles for ever.
#include "sim/lasso.hpp"
#include <algorithm>

namespace troupe {

void lasso_detector::clear() {
  seen_.clear();
  choices_.clear();
  handled_.clear();
}

void lasso_detector::chose(std::uint64_t place, std::uint64_t count, std::uint64_t value, std::uint64_t step) {
  if (count < 2)
    return;
  constexpr std::uint64_t values_max = 64; // a choice among more will never have taken all of them
  auto& taken = choices_[{place, count}];
  taken.resize(std::min(count, values_max + 1)); // the last one of too many stays at 0
  taken[std::min(value, values_max - 1)] = step;
}

bool lasso_detector::is_fair(const moment& start, const lasso_step& end) const {
  if (end.oldest_since <= start.step || (end.awaits_time && end.time == start.time))
    return false;
  return std::all_of(choices_.begin(), choices_.end(), [&](auto& choice) {
    auto [first, last] = std::minmax_element(choice.second.begin(), choice.second.end());
    return *last <= start.step || *first > start.step;
  });
}

std::optional<lasso> lasso_detector::after(lasso_step now) {
  if (!now.handled.empty())
    handled_.emplace_back(now.step, std::move(now.handled));
  auto& before = seen_[now.state];
  for (auto& start : before) {
    if (!is_fair(start, now))
      continue;
    lasso found{start.step, now.step, {}};
    for (auto& [step, what] : handled_)
      if (step > start.step)
        found.handled.push_back(what);
    return found;
  }
  if (before.size() == 2)
    before.pop_back();
  before.push_back({now.step, now.time});
  return std::nullopt;
}

std::string lasso::to_text() const {
  constexpr std::size_t shown_max = 12;
  auto text = "events " + std::to_string(first_step + 1) + " to " + std::to_string(last_step) +
              " lead back to the state from which they began, and can go on so for ever:";
  for (std::size_t i = 0; i < handled.size() && i < shown_max; ++i)
    text += "\n  " + handled[i];
  if (handled.size() > shown_max)
    text += "\n  and " + std::to_string(handled.size() - shown_max) + " more messages";
  return text;
}

} // namespace troupe
