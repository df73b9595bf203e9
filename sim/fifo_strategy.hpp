// The default order: always the oldest enabled event.
#pragma once
#include "sim/decision.hpp"

namespace troupe {

/// Picks choice 0 at every decision.
class fifo_strategy final : public strategy {
public:
  std::size_t pick(decision_kind, const candidates&) override { return 0; }
};

} // namespace troupe
