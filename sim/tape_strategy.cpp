// Replay: makes the decisions of a tape again.
#include "sim/tape_strategy.hpp"

namespace troupe {

std::size_t tape_strategy::pick(decision_kind kind, const candidates& among) {
  const auto at = asked_++;
  if (at >= tape_.size())
    return 0;
  const decision& recorded = tape_[at];
  if (recorded.kind != kind)
    return diverge(at);
  const auto count = among.size();
  exact_ = exact_ && count == recorded.count;
  if (recorded.index < count && among[recorded.index].identity == recorded.identity)
    return recorded.index;
  exact_ = false;
  for (std::size_t index = 0; index < count; ++index)
    if (among[index].identity == recorded.identity)
      return index;
  return diverge(at);
}

std::size_t tape_strategy::diverge(std::uint64_t at) noexcept {
  if (divergences_++ == 0)
    first_divergence_ = at;
  return 0;
}

} // namespace troupe
