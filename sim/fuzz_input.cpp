// What a fuzzer's input says of a run.
#include "sim/fuzz_input.hpp"
#include <algorithm>

namespace troupe {
namespace {

constexpr std::uint64_t order_flag = 1;
constexpr std::uint64_t delays_flag = 2;

std::uint64_t number_at(std::span<const std::uint8_t> data, std::size_t at) noexcept {
  std::uint64_t value = 0;
  for (std::size_t place = 0; place < 8; ++place)
    value |= std::uint64_t{data[at + place]} << (8 * place);
  return value;
}

void append(std::vector<std::uint8_t>& data, std::uint64_t value, std::size_t width) {
  for (std::size_t place = 0; place < width; ++place)
    data.push_back(static_cast<std::uint8_t>(value >> (8 * place)));
}

} // namespace

simulation_options fuzz_input::apply_to(simulation_options base) const noexcept {
  base.seed = seed;
  base.randomize_order = randomize_order;
  base.randomize_delays = randomize_delays;
  base.max_steps = std::min(base.max_steps, max_steps);
  return base;
}

fuzz_input from_fuzz_data(std::span<const std::uint8_t> data) noexcept {
  if (data.size() < fuzz_input::header_size)
    return {};
  const auto flags = number_at(data, 8);
  return {.seed = number_at(data, 0),
          .randomize_order = (flags & order_flag) != 0,
          .randomize_delays = (flags & delays_flag) != 0,
          .decisions = data.subspan(fuzz_input::header_size)};
}

void apply_fuzz_decisions(bytes_strategy& order, std::span<const std::uint8_t> data) noexcept {
  order = bytes_strategy(from_fuzz_data(data).decisions);
}

std::vector<std::uint8_t> to_fuzz_data(const simulation_options& options, const std::vector<decision>& decisions) {
  std::vector<std::uint8_t> data;
  append(data, options.seed, 8);
  append(data, (options.randomize_order ? order_flag : 0) | (options.randomize_delays ? delays_flag : 0), 8);
  for (const auto& each : decisions)
    append(data, each.index, each.count > 256 ? 2 : 1);
  while (data.size() > fuzz_input::header_size && data.back() == 0)
    data.pop_back(); // An exhausted input goes on with choice 0.
  return data;
}

run_result run_fuzz_input(const scenario& program, std::span<const std::uint8_t> data, bool trace) {
  const auto input = from_fuzz_data(data);
  auto options = input.apply_to(program.options);
  options.trace = trace;
  bytes_strategy order(input.decisions);
  return run_scenario(program.body, options, order);
}

} // namespace troupe
