// PCT over chains of causally ordered events instead of participants.
#pragma once
#include "sim/pct_strategy.hpp"
#include <cstdint>
#include <tuple>
#include <vector>

namespace troupe {

/// PCTCP (Ozkan, Majumdar, Niksic, Tabaei Befrouei, Weissenbacher: Randomized Testing of Distributed Systems with
/// Probabilistic Guarantees, OOPSLA 2018). Events are put into chains of causally ordered ones as they become enabled
/// (online, after Agarwal and Garg 2007); the chain with the highest priority goes on, and at `depth` - 1 random events
/// their chain falls behind all others. Finds a bug of that depth with a probability of at least
/// 1/(w^2 * events^(depth - 1)), w being the most events that are concurrent, if there are no more events than the
/// profile says. Only events that race count (see `racing_strategy`).
class pctcp_strategy final : public racing_strategy {
public:
  /// @pre depth >= 1
  pctcp_strategy(std::uint64_t seed, std::uint64_t depth, std::shared_ptr<const schedule_profile> known);

protected:
  void entered(const candidate& event) override;
  void left(const candidate& event) override;
  void passed(const candidate& event, bool has_competed) override;
  std::size_t pick_event(const candidates& among) override;

private:
  /// Per chain, how many of its events are in the past.
  using past = std::vector<std::uint32_t>;
  struct chain {
    std::int64_t priority = 0;
    std::uint32_t length = 0;
  };
  struct waiting {
    std::size_t chain = 0;
    std::uint64_t number = 0; ///< Of the event, in the order of enabling.
    past before;              ///< And itself.
  };

  past before(const candidate& event) const;
  std::size_t chain_for(const past& before);
  std::size_t new_chain();

  std::uint64_t events_ = 0;
  std::map<std::uint64_t, std::int64_t> changes_;
  std::vector<chain> chains_;
  std::vector<std::vector<std::size_t>> groups_; // groups_[i] holds at most i + 1 chains
  std::unordered_map<const void*, waiting> enabled_;
  std::set<std::tuple<std::int64_t, std::uint64_t, const void*>> turns_; // priority, number, key
  past present_;                                                         // of the one that happens
  std::unordered_map<std::uint64_t, past> of_event_;                     // by identity
  std::unordered_map<std::uint64_t, past> of_actor_;
};

} // namespace troupe
