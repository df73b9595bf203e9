// The faults that a run may still meet, and when they happen if the strategy leaves that to the engine.
#pragma once
#include "sim/fault_options.hpp"
#include "sim/random_source.hpp"
#include <cstddef>
#include <set>

namespace troupe {

/// One thing that may go wrong now.
struct fault_choice {
  fault_kind kind;
  std::uint64_t target = 0; ///< Whom it hits, by a number that is the same in every schedule.
  std::uint32_t first = 0;  ///< Where the actor is stored, or a node.
  std::uint32_t second = 0; ///< The other node.
  /// Of this choice in the decision `key`, the same in every schedule.
  std::uint64_t identity(std::uint64_t key) const noexcept {
    return mix(mix(key, static_cast<std::uint64_t>(kind) + 1), target);
  }
};

/// Keeps the budgets, and spreads faults over a run: each run gets up to as many as the budgets allow, at opportunities
/// that are drawn beforehand. If it is known how many there are about, all are equally likely. If not, the first, the
/// second and third, the fourth to seventh and so on are equally likely together.
class fault_injector {
public:
  fault_injector(const fault_options& options, std::uint64_t seed, bool draws);
  bool may(fault_kind kind) const noexcept { return left_.of(kind) != 0; }
  bool may_any() const noexcept { return total_ != 0; }
  void spend(fault_kind kind) noexcept {
    --left_.of(kind);
    --total_;
  }
  /// Whether it decides, and not the strategy.
  bool draws() const noexcept { return draws_; }
  /// Its decision at the next opportunity: one of [0, count), 0 for no fault.
  std::size_t draw(std::size_t count);
  const fault_options& left() const noexcept { return left_; }

private:
  fault_options left_;
  std::uint64_t total_;
  bool draws_;
  random_source random_;
  std::uint64_t passed_ = 0;
  std::set<std::uint64_t> wanted_; ///< Opportunities at which something goes wrong, from 1.
};

} // namespace troupe
