// Measuring two ways of doing the same against each other.
#include "bench/paired.hpp"
#include <algorithm>
#include <cassert>
#include <chrono>
#include <cmath>

namespace troupe::bench {

double median(std::vector<double> values) {
  assert(!values.empty());
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double geometric_mean(const std::vector<double>& values) {
  double sum = 0;
  for (const auto each : values)
    sum += std::log(each);
  return values.empty() ? 0 : std::exp(sum / static_cast<double>(values.size()));
}

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

measured run_paired(const comparison& what, unsigned rounds) {
  assert(rounds > 0);
  std::vector<double> ours, theirs, ratios;
  what.ours();
  what.theirs();
  for (unsigned round = 0; round < rounds; ++round) {
    // Whoever goes second finds the caches and the allocator as the first one left them: they take turns in that.
    double mine = 0, other = 0;
    if (round % 2 == 0) {
      mine = what.ours();
      other = what.theirs();
    } else {
      other = what.theirs();
      mine = what.ours();
    }
    ours.push_back(mine);
    theirs.push_back(other);
    ratios.push_back(mine / other);
  }
  const auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
  return {&what, median(ours), median(theirs), median(ratios), *low, *high};
}

} // namespace troupe::bench
