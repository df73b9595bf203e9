// What strategies that sample races have in common: what competes with nothing does not wait for its turn.
#pragma once
#include "sim/decision.hpp"
#include "sim/profile.hpp"
#include "sim/random_source.hpp"
#include "sim/random_values.hpp"
#include <deque>
#include <memory>
#include <unordered_map>

namespace troupe {

/// Splits the enabled events into those that race and those that commute with whatever else may happen meanwhile: the
/// start of an actor, the handling of the first message of a mailbox (messages arrive behind it), and in the models
/// whose messages arrive one by one the arrival at a place that only one participant sends to. The latter happen at
/// once, oldest first, so that random choices are spent on races alone; this is what partial order reduction knows, and
/// what taPCT (Ozkan, Majumdar, Oraee: Trace Aware Random Testing for Distributed Systems, OOPSLA 2019) does for PCT.
/// As monitors, shared memory and urgent messages can tell more orders apart than that, one in `lazy_one_in` of them is
/// treated like any other event; so each schedule keeps a positive probability.
/// Far beyond the length that schedules were seen to have it goes on with a random walk, so that programs which poll
/// come to an end.
class racing_strategy : public strategy {
public:
  static constexpr std::uint64_t lazy_one_in = 16;

  void begins(order_model model) override;
  bool is_watching() const noexcept final { return true; }
  bool yields() const noexcept final { return true; }
  bool decides_faults() const noexcept final { return false; }
  void enabled(const candidate& event) final;
  void withdrawn(const candidate& event) final;
  void happened(const candidate& event) final;
  std::size_t pick(decision_kind kind, const candidates& among) final;

protected:
  racing_strategy(std::uint64_t seed, std::uint64_t salt, std::shared_ptr<const schedule_profile> known) noexcept
      : random_(mix(seed, salt)), fair_from_(3 * known->picks + 100), values_(random_()), known_(std::move(known)) {}

  /// The event competes with the others from now on.
  virtual void entered(const candidate& event) = 0;
  /// It does not any more: it happens now, or it cannot happen any more.
  virtual void left(const candidate& event) = 0;
  /// Any event happens, after `left` if it was one that competes.
  virtual void passed(const candidate& event, bool has_competed) {
    static_cast<void>(event);
    static_cast<void>(has_competed);
  }
  /// All enabled events compete, and there are at least two.
  virtual std::size_t pick_event(const candidates& among) = 0;

  std::uint64_t picks() const noexcept { return picks_; }
  std::size_t pick_any(const candidates& among) { return static_cast<std::size_t>(random_.below(among.size())); }

  random_source random_;
  std::uint64_t fair_from_; // picks

private:
  bool is_plain(const candidate& event);
  bool is_shared(const candidate& arrival);
  /// @returns whether it was one of those that do not wait.
  bool take(const void* key);

  random_values values_;
  std::shared_ptr<const schedule_profile> known_;
  std::uint64_t picks_ = 0;
  bool has_arrivals_ = true;
  std::deque<const void*> plain_;                           // oldest first
  std::unordered_map<std::uint64_t, std::uint64_t> sender_; // by place; `many`
};

} // namespace troupe
