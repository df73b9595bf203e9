// Strategies: what they pick, and by which name they are had.
#include "sim/bytes_strategy.hpp"
#include "sim/fifo_strategy.hpp"
#include "sim/random_strategy.hpp"
#include "sim/strategies.hpp"
#include "sim/tape_strategy.hpp"
#include "tests/sim/fake_program.hpp"
#include <doctest/doctest.h>
#include <numeric>
#include <set>

using namespace troupe;
using troupe::testing::fake_program;
using troupe::testing::listed_candidates;

namespace {

listed_candidates numbered(std::size_t count) {
  std::vector<std::uint64_t> identities(count);
  std::iota(identities.begin(), identities.end(), 1000);
  return listed_candidates(identities);
}

} // namespace

TEST_CASE("fifo picks the oldest") {
  fifo_strategy order;
  CHECK(order.pick(decision_kind::event, numbered(7)) == 0);
}

TEST_CASE("random gives the same picks for the same seed, others for another, and all of them in time") {
  random_strategy one(5), again(5), other(6);
  std::set<std::size_t> seen;
  int differences = 0;
  for (int i = 0; i < 200; ++i) {
    auto pick = one.pick(decision_kind::event, numbered(7));
    CHECK(pick == again.pick(decision_kind::event, numbered(7)));
    differences += pick != other.pick(decision_kind::event, numbered(7));
    seen.insert(pick);
  }
  CHECK(seen == std::set<std::size_t>{0, 1, 2, 3, 4, 5, 6});
  CHECK(differences > 100);
}

TEST_CASE("random picks do not depend on the machine") {
  random_strategy order(42);
  std::string picks;
  for (int i = 0; i < 16; ++i)
    picks += std::to_string(order.pick(decision_kind::event, numbered(10)));
  CHECK(picks == "6307761114567546");
}

TEST_CASE("bytes pick modulo the number of candidates") {
  const std::uint8_t input[] = {3, 9, 0};
  bytes_strategy order(input);
  CHECK(order.pick(decision_kind::event, numbered(4)) == 3);
  CHECK(order.pick(decision_kind::event, numbered(4)) == 1);
  CHECK(order.consumed() == 2);
}

TEST_CASE("bytes come in pairs, the low one first, for more than 256 candidates") {
  const std::uint8_t input[] = {0x02, 0x01, 0xff};
  bytes_strategy order(input);
  CHECK(order.pick(decision_kind::event, numbered(300)) == 0x102);
  CHECK(order.pick(decision_kind::event, numbered(256)) == 0xff);
}

TEST_CASE("exhausted bytes go on with choice 0") {
  const std::uint8_t input[] = {1, 7};
  bytes_strategy order(input);
  CHECK(order.pick(decision_kind::event, numbered(2)) == 1);
  CHECK(order.pick(decision_kind::event, numbered(1000)) == 0); // one byte is left, two are needed
  CHECK(order.pick(decision_kind::event, numbered(10)) == 0);
  CHECK(order.consumed() == 2);
  bytes_strategy empty({});
  CHECK(empty.pick(decision_kind::event, numbered(2)) == 0);
}

TEST_CASE("a tape gives the run that it was recorded from") {
  const fake_program program;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    random_strategy order(seed);
    const auto recorded = program(seed, order, false);
    tape_strategy replay(recorded.decisions);
    const auto replayed = program(seed, replay, false);
    CHECK(replayed.trace_hash == recorded.trace_hash);
    CHECK(replayed.decisions == recorded.decisions);
    CHECK(replay.followed_exactly());
    CHECK(replay.divergences() == 0);
  }
}

TEST_CASE("a tape finds a recorded event that has moved, and says that it was not followed exactly") {
  const std::vector<decision> recorded{{decision_kind::event, 1, 3, 20}};
  tape_strategy replay(recorded);
  CHECK(replay.pick(decision_kind::event, listed_candidates({10, 30, 20})) == 2);
  CHECK(replay.divergences() == 0);
  CHECK_FALSE(replay.followed_exactly());
}

TEST_CASE("a tape met by another number of candidates was not followed exactly") {
  const std::vector<decision> recorded{{decision_kind::event, 1, 3, 20}};
  tape_strategy replay(recorded);
  CHECK(replay.pick(decision_kind::event, listed_candidates({10, 20})) == 1);
  CHECK(replay.divergences() == 0);
  CHECK_FALSE(replay.followed_exactly());
}

TEST_CASE("a tape whose event is missing goes on with the oldest and counts a divergence") {
  const std::vector<decision> recorded{
      {decision_kind::event, 0, 2, 10}, {decision_kind::event, 1, 3, 20}, {decision_kind::delay, 1, 4, 1}};
  tape_strategy replay(recorded);
  CHECK(replay.pick(decision_kind::event, listed_candidates({10, 11})) == 0);
  CHECK(replay.pick(decision_kind::event, listed_candidates({10, 30, 40})) == 0);
  CHECK(replay.pick(decision_kind::event, listed_candidates({0, 1, 2, 3})) == 0); // another kind
  CHECK(replay.divergences() == 2);
  CHECK(replay.first_divergence() == 1);
  CHECK_FALSE(replay.followed_exactly());
}

TEST_CASE("a tape that is too short or too long was not followed exactly") {
  const std::vector<decision> recorded{{decision_kind::event, 1, 2, 11}};
  tape_strategy short_run(recorded);
  CHECK_FALSE(short_run.followed_exactly());
  tape_strategy long_run(recorded);
  CHECK(long_run.pick(decision_kind::event, listed_candidates({10, 11})) == 1);
  CHECK(long_run.followed_exactly());
  CHECK(long_run.pick(decision_kind::event, listed_candidates({10, 11})) == 0);
  CHECK_FALSE(long_run.followed_exactly());
}

TEST_CASE("strategies are had by name, some with a parameter") {
  const runner nothing = [](std::uint64_t, strategy&, bool) { return run_result{}; };
  for (const auto& each : known_strategies()) {
    CHECK(strategy_problem(each.name).empty());
    CHECK(make_strategies(each.name, nothing)(0) != nullptr);
    if (!each.parameter.empty())
      CHECK(strategy_problem(each.name + ":" + each.parameter + "=7").empty());
  }
}

TEST_CASE("an unknown strategy or parameter is refused in one line that helps") {
  CHECK(strategy_problem("randon") == "unknown strategy \"randon\"; did you mean \"random\"?");
  CHECK(strategy_problem("magic").find("unknown strategy \"magic\"; known: portfolio, fifo, random, speeds,") == 0);
  CHECK(strategy_problem("random:depth=3") == "strategy \"random\" has no parameters");
  for (const auto* wrong :
       {"pct:", "pct:depth", "pct:depth=", "pct:depth=0", "pct:depth=1001", "pct:depth=x", "pct:3", "pct:width=3"})
    CHECK(strategy_problem(wrong).find("expected pct:depth=NUMBER, a number from 1 to 1000") != std::string::npos);
}
