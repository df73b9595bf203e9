// What a fuzzer's input says of a run: a seed, flags, and bytes that decide.
#pragma once
#include "sim/bytes_strategy.hpp"
#include "sim/scenario.hpp"
#include "sim/simulation_options.hpp"
#include <cstdint>
#include <span>
#include <vector>

namespace troupe {

/// An input taken apart: 8 bytes seed, 8 bytes flags (both little-endian; flag bit 0: `randomize_order`, bit 1:
/// `randomize_delays`, the others mean nothing), then the decisions as `bytes_strategy` reads them. Every string of
/// bytes is an input, and every prefix of an input that holds the header is the same run up to where it ends.
struct fuzz_input {
  static constexpr std::size_t header_size = 16;
  /// Fuzzing wants many short runs: events after which one ends with `verdict::step_limit`.
  static constexpr std::uint64_t max_steps = 10'000;

  std::uint64_t seed = 0;
  bool randomize_order = true;
  bool randomize_delays = false;
  std::span<const std::uint8_t> decisions = {}; ///< Part of the input, which must outlive this.

  /// `base` with what the input says, and at most `max_steps` events.
  simulation_options apply_to(simulation_options base) const noexcept;
};

/// Takes an input apart. One that is shorter than the header has no decisions and the defaults above: the `fifo` order
/// under seed 0.
fuzz_input from_fuzz_data(std::span<const std::uint8_t> data) noexcept;

/// From its next decision on `order` follows the decisions of the input `data`, which must outlive it. Seed and flags
/// of a run that has begun stay as they are.
void apply_fuzz_decisions(bytes_strategy& order, std::span<const std::uint8_t> data) noexcept;

/// The input that leads to the same run as these options and decisions do, as long as the options are those of an
/// input. @pre no decision has more than 65,536 candidates
std::vector<std::uint8_t> to_fuzz_data(const simulation_options& options, const std::vector<decision>& decisions);

/// Runs a scenario as the input says. Never throws for what the program under test does.
/// @param trace Whether to keep the trace.
run_result run_fuzz_input(const scenario& program, std::span<const std::uint8_t> data, bool trace = false);

} // namespace troupe
