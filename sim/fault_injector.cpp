// The faults that a run may still meet, and when they happen if the strategy leaves that to the engine.
#include "sim/fault_injector.hpp"

namespace troupe {

fault_injector::fault_injector(const fault_options& options, std::uint64_t seed, bool draws)
    : left_(options), total_(options.total()), draws_(draws), random_(mix(seed, 0x6661756c74ull)) { // "fault"
  if (!draws || total_ == 0)
    return;
  constexpr std::uint64_t bands = 12; // up to the 4,095th opportunity
  // One run in eight meets none: what goes wrong without faults has to be found, too.
  auto count = random_.chance(1, 8) ? 0 : 1 + random_.below(total_);
  for (; count > 0; --count) {
    if (options.opportunities != 0) {
      // A run may have more opportunities than the one that was measured.
      wanted_.insert(1 + random_.below(options.opportunities + options.opportunities / 4));
    } else {
      const auto band = std::uint64_t{1} << random_.below(bands);
      wanted_.insert(band + random_.below(band));
    }
  }
}

std::size_t fault_injector::draw(std::size_t count) {
  return wanted_.erase(++passed_) != 0 ? 1 + static_cast<std::size_t>(random_.below(count - 1)) : 0;
}

} // namespace troupe
