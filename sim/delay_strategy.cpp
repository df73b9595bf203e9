// Delay-bounded scheduling: the default order, but for a few participants that are put off.
#include "sim/delay_strategy.hpp"

namespace troupe {

delay_strategy::delay_strategy(std::uint64_t seed, std::uint64_t delays, std::shared_ptr<const schedule_profile> known)
    : racing_strategy(seed, 0x64656c6179, known) {
  for (auto count = 1 + random_.below(delays); count > 0; --count)
    delays_.insert(1 + random_.below(known->decisions));
}

void delay_strategy::entered(const candidate& event) {
  auto [known, is_new] = places_.try_emplace(event.actor);
  if (is_new)
    known->second = ++last_;
  if (enabled_.add(event))
    turns_.emplace(known->second, event.actor);
}

void delay_strategy::left(const candidate& event) {
  if (enabled_.remove(event))
    turns_.erase({places_[event.actor], event.actor});
}

std::size_t delay_strategy::pick_event(const candidates& among) {
  if (turns_.size() >= 2) {
    ++decisions_;
    for (auto count = delays_.count(decisions_); count > 0; --count) {
      auto actor = turns_.begin()->second;
      turns_.erase(turns_.begin());
      turns_.emplace(places_[actor] = ++last_, actor);
    }
  }
  return among.index_of(enabled_.of(turns_.begin()->second).front());
}

} // namespace troupe
