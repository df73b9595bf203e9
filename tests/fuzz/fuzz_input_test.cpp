// Inputs of a fuzzer: their layout, what a short or exhausted one means, and that an input is a schedule.
#include "sim/fuzz_input.hpp"
#include "sim/random_strategy.hpp"
#include "sim/simulator.hpp"
#include "sim/tape.hpp"
#include "tests/fuzz/racing_scenario.hpp"
#include <algorithm>
#include <doctest/doctest.h>
#include <set>

using namespace troupe;
using troupe::testing::race;

namespace {

using bytes = std::vector<std::uint8_t>;

struct numbered final : candidates {
  explicit numbered(std::size_t how_many) : count(how_many) {}
  std::size_t size() const noexcept override { return count; }
  candidate operator[](std::size_t index) const noexcept override { return {.identity = index}; }
  std::size_t count;
};

bytes with_header(std::uint8_t flags, const bytes& decisions) {
  bytes data(fuzz_input::header_size + decisions.size());
  data[0] = 7;
  data[8] = flags;
  std::copy(decisions.begin(), decisions.end(), data.begin() + fuzz_input::header_size);
  return data;
}

} // namespace

TEST_CASE("an input is 8 bytes of seed and 8 bytes of flags, little-endian, and then decisions") {
  const bytes data{0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01, 0x03, 0, 0, 0, 0, 0, 0, 0, 0xaa, 0xbb};
  const auto input = from_fuzz_data(data);
  CHECK(input.seed == 0x0102030405060708ull);
  CHECK(input.randomize_order);
  CHECK(input.randomize_delays);
  CHECK(bytes(input.decisions.begin(), input.decisions.end()) == bytes{0xaa, 0xbb});
}

TEST_CASE("flags are the low two bits of the second word") {
  for (std::uint8_t flags = 0; flags < 8; ++flags) {
    const auto data = with_header(flags, {});
    const auto input = from_fuzz_data(data);
    CHECK(input.randomize_order == ((flags & 1) != 0));
    CHECK(input.randomize_delays == ((flags & 2) != 0));
    CHECK(input.decisions.empty());
  }
  auto data = with_header(0, {});
  data[15] = 0xff; // the other flags mean nothing
  CHECK_FALSE(from_fuzz_data(data).randomize_order);
}

TEST_CASE("an input that is shorter than its header is the default order under seed 0") {
  for (std::size_t size = 0; size < fuzz_input::header_size; ++size) {
    const bytes data(size, 0xff);
    const auto input = from_fuzz_data(data);
    CHECK(input.seed == 0);
    CHECK(input.randomize_order);
    CHECK_FALSE(input.randomize_delays);
    CHECK(input.decisions.empty());
    const auto run = run_fuzz_input(race(), data);
    CHECK(run.end == verdict::ok);
    CHECK(deviations(run.decisions) == 0);
  }
}

TEST_CASE("an input decides about everything but how far a run may go") {
  const auto data = with_header(2, {});
  simulation_options base;
  base.max_steps = 50'000;
  base.model = order_model::atomic;
  const auto options = from_fuzz_data(data).apply_to(base);
  CHECK(options.seed == 7);
  CHECK_FALSE(options.randomize_order);
  CHECK(options.randomize_delays);
  CHECK(options.model == order_model::atomic);
  CHECK(options.max_steps == fuzz_input::max_steps);
  base.max_steps = 10;
  CHECK(from_fuzz_data(data).apply_to(base).max_steps == 10);
}

TEST_CASE("decisions of another input replace those that are left") {
  const auto first = with_header(1, {1, 2, 3, 4});
  const auto second = with_header(1, {3, 0});
  bytes_strategy order(from_fuzz_data(first).decisions);
  const numbered five(5);
  CHECK(order.pick(decision_kind::event, five) == 1);
  CHECK(order.pick(decision_kind::event, five) == 2);
  apply_fuzz_decisions(order, second);
  CHECK(order.pick(decision_kind::event, five) == 3);
  CHECK(order.pick(decision_kind::event, five) == 0);
  CHECK(order.pick(decision_kind::event, five) == 0); // exhausted
  apply_fuzz_decisions(order, bytes{1, 1, 1});        // no header, no decisions
  CHECK(order.pick(decision_kind::event, five) == 0);
}

TEST_CASE("an exhausted input goes on with choice 0") {
  const auto program = race();
  random_source random(3);
  for (int i = 0; i < 50; ++i) {
    bytes decisions(random.below(12));
    for (auto& each : decisions)
      each = static_cast<std::uint8_t>(random());
    const auto data = with_header(1, decisions);
    auto longer = data;
    longer.resize(data.size() + 200); // zeros
    CHECK(run_fuzz_input(program, data).trace_hash == run_fuzz_input(program, longer).trace_hash);
  }
}

TEST_CASE("the same input is the same run, and other inputs are other runs") {
  const auto program = race();
  std::set<std::uint64_t> traces;
  for (int i = 0; i < 60; ++i) {
    random_source random(i);
    bytes decisions(40);
    for (auto& each : decisions)
      each = static_cast<std::uint8_t>(random());
    const auto data = with_header(1, decisions);
    const auto once = run_fuzz_input(program, data, true);
    const auto again = run_fuzz_input(program, data);
    CHECK(once.trace_hash == again.trace_hash);
    CHECK(once.end == again.end);
    CHECK(once.message == again.message);
    CHECK_FALSE(once.trace.empty());
    CHECK(again.trace.empty());
    traces.insert(once.trace_hash);
  }
  CHECK(traces.size() > 30);
}

TEST_CASE("without the order flag no decision about order is made") {
  const auto run = run_fuzz_input(race(), with_header(0, bytes(40, 0xff)));
  CHECK(run.decisions.empty());
  CHECK(run.end == verdict::ok);
}

TEST_CASE("any run can be turned into an input that leads to it") {
  const auto program = race();
  bool failed = false;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    auto options = program.options;
    options.seed = seed;
    options.randomize_delays = seed % 2 == 1;
    random_strategy order(seed);
    const auto walk = run_scenario(program.body, options, order);
    const auto data = to_fuzz_data(options, walk.decisions);
    const auto run = run_fuzz_input(program, data);
    CHECK(run.trace_hash == walk.trace_hash);
    CHECK(run.end == walk.end);
    failed = failed || walk.is_failure();
  }
  CHECK(failed);
}

TEST_CASE("decisions among more than 256 candidates take two bytes") {
  const std::vector<decision> decisions{{decision_kind::event, 299, 300, 0}, {decision_kind::event, 2, 3, 0}};
  const auto data = to_fuzz_data({}, decisions);
  CHECK(data.size() == fuzz_input::header_size + 3);
  bytes_strategy order(from_fuzz_data(data).decisions);
  CHECK(order.pick(decision_kind::event, numbered(300)) == 299);
  CHECK(order.pick(decision_kind::event, numbered(3)) == 2);
}
