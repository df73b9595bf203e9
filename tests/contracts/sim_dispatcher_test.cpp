// The simulator's dispatcher keeps the contract, in the fifo order and in others.
#include "sim/engine.hpp"
#include "sim/fifo_strategy.hpp"
#include "sim/random_strategy.hpp"
#include "tests/contracts/dispatcher_contract.hpp"

namespace troupe::test {
namespace {

template <class Order>
struct simulated_backend {
  static constexpr std::size_t threads = 0;
  static constexpr std::size_t threads_per_lane = 0;
  static constexpr bool has_threads = false;
  static constexpr bool is_weighted = false;       // it shows every order that some weights could lead to
  static constexpr bool allocates_nothing = false; // it keeps the tape

  dispatcher& get() noexcept { return engine_; }

private:
  Order order_;
  sim_engine engine_{{.max_steps = 10'000'000}, order_};
};

template <std::uint64_t Seed>
struct seeded final : strategy {
  random_strategy order{Seed};
  std::size_t pick(decision_kind kind, const candidates& among) override { return order.pick(kind, among); }
};

} // namespace

using simulator_fifo = simulated_backend<fifo_strategy>;
using simulator_seed_1 = simulated_backend<seeded<1>>;
using simulator_seed_2 = simulated_backend<seeded<2>>;
} // namespace troupe::test

TYPE_TO_STRING(troupe::test::simulator_fifo);
TYPE_TO_STRING(troupe::test::simulator_seed_1);
TYPE_TO_STRING(troupe::test::simulator_seed_2);

namespace troupe::test {

TROUPE_DISPATCHER_CONTRACT(simulator_fifo);
TROUPE_DISPATCHER_CONTRACT(simulator_seed_1);
TROUPE_DISPATCHER_CONTRACT(simulator_seed_2);

} // namespace troupe::test
