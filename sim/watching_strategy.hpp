// What strategies that follow every event have in common: random values, and whose events are enabled.
#pragma once
#include "sim/decision.hpp"
#include "sim/random_source.hpp"
#include <algorithm>
#include <unordered_map>
#include <vector>

namespace troupe {

/// Picks values at random, unless the derived class does better, which always has to pick events.
class watching_strategy : public strategy {
public:
  bool is_watching() const noexcept final { return true; }
  bool yields() const noexcept final { return true; }
  bool decides_faults() const noexcept final { return false; }
  std::size_t pick(decision_kind kind, const candidates& among) final {
    if (kind == decision_kind::fault)
      return 0;
    return kind == decision_kind::event ? pick_event(among) : pick_value(among);
  }

protected:
  watching_strategy(std::uint64_t seed, std::uint64_t salt) noexcept : random_(mix(seed, salt)) {}
  virtual std::size_t pick_event(const candidates& among) = 0;
  virtual std::size_t pick_value(const candidates& among) { return pick_any(among); }

  std::size_t pick_any(const candidates& among) { return static_cast<std::size_t>(random_.below(among.size())); }

  random_source random_;
};

/// The enabled events of each participant, by whose turn it is.
class enabled_by_actor {
public:
  /// @returns whether it is the actor's only one.
  bool add(const candidate& event) {
    auto& of_actor = keys_[event.actor];
    of_actor.push_back(event.key);
    return of_actor.size() == 1;
  }
  /// @returns whether it was the actor's last one.
  bool remove(const candidate& event) {
    auto& of_actor = keys_[event.actor];
    auto at = std::find(of_actor.begin(), of_actor.end(), event.key);
    if (at != of_actor.end())
      of_actor.erase(at);
    return of_actor.empty();
  }
  /// In the order in which they were enabled.
  const std::vector<const void*>& of(std::uint64_t actor) { return keys_[actor]; }

private:
  std::unordered_map<std::uint64_t, std::vector<const void*>> keys_;
};

} // namespace troupe
