// Schedules as sparse deviations from the default order: what shrinking takes apart.
#pragma once
#include "sim/forwarding_strategy.hpp"
#include <unordered_map>
#include <vector>

namespace troupe {

/// One place where a schedule differs from the default order: `instead` happened although `oldest` was enabled longer,
/// or in the place of nothing going wrong.
/// Both are hashes of identity and event kind: the arrival of a message and its handling share their identity. Values
/// have none, so that for decisions on them `oldest` is the number of the decision within its kind.
struct deviation {
  decision_kind kind = decision_kind::event;
  std::uint64_t oldest = 0;
  std::uint64_t instead = 0;
  bool operator==(const deviation&) const = default;
};

/// Leaves every decision to another strategy and keeps what deviated from the default order.
class deviation_recorder final : public forwarding_strategy {
public:
  /// `inner` must outlive the recorder.
  explicit deviation_recorder(strategy& inner) noexcept : forwarding_strategy(inner) {}
  std::size_t pick(decision_kind kind, const candidates& among) override;

  const std::vector<deviation>& deviations() const noexcept { return deviations_; }

private:
  std::vector<deviation> deviations_;
  std::uint64_t values_[4] = {};
};

/// The default order but for these deviations. Each names events, not positions, so that taking some away leaves the
/// others meaningful; one whose event is not enabled when its turn comes is left out.
/// All the deviations of a run, in their order, give that run again.
class deviation_strategy final : public strategy {
public:
  /// `model`: as in `tape_strategy`.
  explicit deviation_strategy(const std::vector<deviation>& deviations, std::optional<order_model> model = {});
  std::optional<order_model> wanted_model() const noexcept override { return model_; }
  bool repeats_input() const noexcept override { return true; }
  std::size_t pick(decision_kind kind, const candidates& among) override;

private:
  /// Per oldest event what goes first, in order; the part before `next` is used up.
  struct turns {
    std::vector<std::uint64_t> instead;
    std::size_t next = 0;
  };
  std::optional<order_model> model_;
  std::unordered_map<std::uint64_t, turns> of_kind_[4];
  std::uint64_t values_[4] = {};
};

} // namespace troupe
