// A random walk in which participants are of different speeds.
#include "sim/speeds_strategy.hpp"

namespace troupe {

speeds_strategy::speeds_strategy(std::uint64_t seed, std::shared_ptr<const schedule_profile> known) noexcept
    : racing_strategy(seed, 0x737065656473, std::move(known)), spread_(1 + random_.below(8)),
      epoch_(random_.chance(1, 2) ? 0 : std::uint64_t{8} << random_.below(6)), salt_(random_()) {}

std::size_t speeds_strategy::pick_event(const candidates& among) {
  if (epoch_ != 0 && random_.chance(1, epoch_))
    salt_ = random_();
  // Whoever is drawn goes on with the probability that is its speed; else another one is drawn.
  for (int tries = 0;; ++tries) {
    auto index = pick_any(among);
    auto slowness = mix(among[index].actor, salt_) % spread_;
    if (tries == 100 || random_.below(std::uint64_t{1} << slowness) == 0)
      return index;
  }
}

} // namespace troupe
