// Values for a program's own choices: as even as a fair die in some schedules, as one-sided as can be in others.
#include "sim/random_values.hpp"
#include <algorithm>
#include <array>

namespace troupe {

std::size_t random_values::pick(random_source& random, std::size_t count) const noexcept {
  if (count > most)
    return static_cast<std::size_t>(random.below(count));
  // The gaps between count - 1 points on a line, the same ones each time.
  random_source weights{mix(seed_, count)};
  std::array<std::uint64_t, most> points;
  for (std::size_t i = 0; i + 1 < count; ++i)
    points[i] = weights();
  std::sort(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(count - 1));
  const auto drawn = random();
  std::size_t value = 0;
  while (value + 1 < count && drawn >= points[value])
    ++value;
  return value;
}

} // namespace troupe
