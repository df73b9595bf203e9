// A random walk: every enabled event is equally likely to be next.
#pragma once
#include "sim/decision.hpp"
#include "sim/random_source.hpp"

namespace troupe {

/// Picks uniformly. One seed, one sequence of picks; unrelated to what `simulator::rng` gives under the same seed.
class random_strategy final : public strategy {
public:
  explicit random_strategy(std::uint64_t seed) noexcept : source_(mix(seed, 0x6f72646572ull)) {} // "order"
  bool decides_faults() const noexcept override { return false; }
  std::size_t pick(decision_kind kind, const candidates& among) override {
    if (kind == decision_kind::fault)
      return 0;
    return static_cast<std::size_t>(source_.below(among.size()));
  }
  bool foresees(std::size_t count, std::span<std::size_t> next) const noexcept override {
    auto source = source_;
    for (auto& index : next)
      index = static_cast<std::size_t>(source.below(count));
    return true;
  }

private:
  random_source source_;
};

} // namespace troupe
