// Order from bytes: how a fuzzer's input becomes a schedule.
#pragma once
#include "sim/decision.hpp"
#include <cstddef>
#include <cstdint>
#include <span>

namespace troupe {

/// Each decision takes one byte (two, the low one first, when there are more than 256 candidates), modulo the number of
/// candidates. Once fewer bytes are left than that, every choice is 0: a prefix of an input is an input.
class bytes_strategy final : public strategy {
public:
  /// `bytes` must outlive the strategy.
  explicit bytes_strategy(std::span<const std::uint8_t> bytes) noexcept : bytes_(bytes) {}
  bool repeats_input() const noexcept override { return true; }
  std::size_t pick(decision_kind kind, const candidates& among) override;

  /// Bytes taken so far; the rest had no influence.
  std::size_t consumed() const noexcept { return consumed_; }

private:
  std::span<const std::uint8_t> bytes_;
  std::size_t consumed_ = 0;
};

} // namespace troupe
