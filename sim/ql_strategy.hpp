// Reinforcement learning: schedules that lead to states seen often are made unlikely.
#pragma once
#include "sim/watching_strategy.hpp"
#include <memory>
#include <unordered_map>
#include <vector>

namespace troupe {

/// What has been learnt over consecutive schedules.
struct ql_memory {
  struct action_values {
    std::unordered_map<std::uint64_t, double> of;
    double best() const noexcept;
  };
  std::unordered_map<std::uint64_t, action_values> values; // by state
  std::unordered_map<std::uint64_t, std::uint64_t> visits; // by state
  std::size_t runs = 0;
  std::size_t longest = 0; ///< The most picks of events of the first few runs.
};

/// QL (Mukherjee, Deligiannis, Biswas, Lal: Learning-Based Controlled Concurrency Testing, OOPSLA 2020): Q-learning in
/// which each visit of a state costs as much as there have been visits of it. A state is what `strategy::state_is`
/// tells, and the enabled events by participants and types of messages. No guarantee. Far beyond the length that the
/// first schedules had it goes on at random, so that programs which poll come to an end.
///
/// Unlike there, the values that a participant asks for are learnt by themselves: their states are its own state, what
/// it handles, and what it has been given meanwhile; the next one is that of the next value that it asks for. In states
/// of the whole program, of which nearly each is a new one, nothing would be learnt of them.
class ql_strategy final : public watching_strategy {
public:
  ql_strategy(std::uint64_t seed, std::shared_ptr<ql_memory> memory) noexcept
      : watching_strategy(seed, 0x716c), memory_(std::move(memory)) {}

  bool wants_state() const noexcept override { return true; }
  void state_is(std::uint64_t hash) override { told_ = hash; }
  void enabled(const candidate& event) override { enabled_ += action_of(event); }
  void withdrawn(const candidate& event) override { enabled_ -= action_of(event); }
  void happened(const candidate& event) override {
    withdrawn(event);
    answers_ = 0;
  }
  void ended(const run_result& result) override;

protected:
  std::size_t pick_event(const candidates& among) override;
  std::size_t pick_value(const candidates& among) override;

private:
  struct taken {
    std::uint64_t state, action;
  };
  using path = std::vector<taken>;
  static std::uint64_t action_of(const candidate& event) noexcept {
    return mix(mix(event.place, event.actor), mix(event.content, static_cast<std::uint64_t>(event.kind)));
  }
  std::size_t pick_action(std::uint64_t state, const candidates& among, path& along);
  void learn(const path& along, std::uint64_t end);

  std::shared_ptr<ql_memory> memory_;
  std::uint64_t state() const noexcept { return mix(told_, enabled_); }

  std::uint64_t told_ = 0;
  std::uint64_t enabled_ = 0;
  std::uint64_t answers_ = 0; ///< What the present event has been given so far.
  path events_;
  std::unordered_map<std::uint64_t, path> values_; ///< By who asks.
};

} // namespace troupe
