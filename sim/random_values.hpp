// Values for a program's own choices: as even as a fair die in some schedules, as one-sided as can be in others.
#pragma once
#include "sim/random_source.hpp"
#include <cstddef>

namespace troupe {

/// Draws values below a count, by weights that are drawn once for each count: all weights that add up to one are
/// equally likely. A fair coin shows heads six times in a row in one of 64 schedules; this one in one of 7. Counts
/// beyond `most` are drawn evenly.
class random_values {
public:
  static constexpr std::size_t most = 16;
  explicit random_values(std::uint64_t seed) noexcept : seed_(seed) {}

  /// @pre count > 0
  std::size_t pick(random_source& random, std::size_t count) const noexcept;

private:
  std::uint64_t seed_;
};

} // namespace troupe
