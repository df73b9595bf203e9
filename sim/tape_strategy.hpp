// Replay: makes the decisions of a tape again.
#pragma once
#include "sim/decision.hpp"
#include <vector>

namespace troupe {

/// Picks at each decision the candidate with the recorded identity; if it is not there, choice 0, and that counts as a
/// divergence. Past the end of the tape every choice is 0.
class tape_strategy final : public strategy {
public:
  /// `tape` must outlive the strategy. `model`: the one that it was recorded in, if that may differ from the run's.
  explicit tape_strategy(const std::vector<decision>& tape, std::optional<order_model> model = {}) noexcept
      : tape_(tape), model_(model) {}
  std::optional<order_model> wanted_model() const noexcept override { return model_; }
  bool repeats_input() const noexcept override { return true; }
  std::size_t pick(decision_kind kind, const candidates& among) override;

  /// Decisions that the tape does not hold as they came: another kind, or the recorded candidate was missing.
  std::uint64_t divergences() const noexcept { return divergences_; }
  /// The first of them (its place on the tape, from 0). @pre divergences() > 0
  std::uint64_t first_divergence() const noexcept { return first_divergence_; }
  /// Decisions asked for.
  std::uint64_t decisions() const noexcept { return asked_; }
  /// After the run: every decision came as it was recorded, none was missing, none came on top.
  bool followed_exactly() const noexcept { return exact_ && divergences_ == 0 && asked_ == tape_.size(); }

private:
  std::size_t diverge(std::uint64_t at) noexcept;

  const std::vector<decision>& tape_;
  std::optional<order_model> model_;
  std::uint64_t asked_ = 0;
  std::uint64_t divergences_ = 0;
  std::uint64_t first_divergence_ = 0;
  bool exact_ = true;
};

} // namespace troupe
