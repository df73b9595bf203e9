// A random walk in which participants are of different speeds.
#pragma once
#include "sim/decision.hpp"
#include "sim/random_source.hpp"
#include "sim/random_values.hpp"

namespace troupe {

/// A random walk lets all participants make progress at the same pace; bugs that need one to fall behind step by step,
/// and not for good as under PCT, are beyond its reach. Here each participant has a speed that is drawn for this
/// schedule, and in some schedules anew every now and then. How far speeds differ is drawn, too. Values of choices have
/// random weights (`random_values`), as in swarm testing (Groce, Zhang, Eide, Chen, Regehr: Swarm Testing, ISSTA 2012).
/// Every schedule keeps a positive probability.
class speeds_strategy final : public strategy {
public:
  explicit speeds_strategy(std::uint64_t seed) noexcept;
  std::size_t pick(decision_kind kind, const candidates& among) override;

private:
  random_source random_;
  random_values values_;
  std::uint64_t spread_;    // speeds are 1, 1/2, ... 1/2^(spread - 1)
  std::uint64_t epoch_max_; // decisions after which they are drawn anew, at random and on average; 0: never
  std::uint64_t salt_;
};

} // namespace troupe
