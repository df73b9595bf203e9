// A random walk in which participants are of different speeds.
#include "sim/speeds_strategy.hpp"

namespace troupe {

speeds_strategy::speeds_strategy(std::uint64_t seed) noexcept
    : random_(mix(seed, 0x737065656473)), values_(random_()), spread_(1 + random_.below(8)),
      epoch_max_(random_.chance(1, 2) ? 0 : std::uint64_t{8} << random_.below(6)), salt_(random_()) {}

std::size_t speeds_strategy::pick(decision_kind kind, const candidates& among) {
  if (kind != decision_kind::event)
    return values_.pick(random_, among.size());
  if (epoch_max_ != 0 && random_.chance(1, epoch_max_))
    salt_ = random_();
  for (int tries = 0;; ++tries) {
    auto index = static_cast<std::size_t>(random_.below(among.size()));
    auto slowness = mix(among[index].actor, salt_) % spread_;
    if (tries == 100 || random_.below(std::uint64_t{1} << slowness) == 0)
      return index;
  }
}

} // namespace troupe
