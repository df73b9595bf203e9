// Asio coroutines in the simulator: what is virtual there, and what is told to be impossible.
#include "sessions/asio_awaitable.hpp"
#include "sessions/asio_timer.hpp"
#include "sim/simulator.hpp"
#include <boost/asio.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <doctest/doctest.h>
#include <set>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace troupe::test {
namespace {

/// Two coroutines race for the same timer ticks, on one strand.
std::string race(simulator& sim) {
  std::string order;
  auto s = sim.root().open_session({.name = "race"});
  const auto strand = asio::make_strand(s.get_executor());
  for (char name : {'a', 'b', 'c'})
    asio::co_spawn(
        strand,
        [&order, s, name]() -> asio::awaitable<void> {
          for (int i = 0; i < 2; ++i) {
            asio_timer timer{s, 1h};
            co_await timer.async_wait(asio::use_awaitable);
            order += name;
          }
        },
        or_fail);
  auto report = sim.block_on(s.close(5h));
  sim.check(report->is_clean(), "not clean: " + report->to_text());
  return order;
}

} // namespace

TEST_CASE("co_spawn'ed coroutines, strands and Asio timers are simulated: in virtual time, in the order of the seed") {
  std::set<std::string> orders;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    std::string first, again;
    auto one = simulator::once(seed, [&](simulator& sim) { first = race(sim); });
    auto two = simulator::once(seed, [&](simulator& sim) { again = race(sim); });
    CHECK_MESSAGE(!one.is_failure(), one.message);
    CHECK(first == again);
    CHECK(one.trace_hash == two.trace_hash);
    orders.insert(first);
  }
  CHECK(orders.size() > 3);
}

TEST_CASE("an Asio coroutine is cancelled in virtual time") {
  auto end = simulator::once(1, [](simulator& sim) {
    auto s = sim.root().open_session({.deadline = 24h});
    auto waits = spawn_awaitable(s, [s]() -> asio::awaitable<void> {
      asio_timer timer{s, 48h};
      co_await timer.async_wait(asio::use_awaitable);
    });
    const auto before = sim.now();
    auto outcome = sim.block_on(std::move(waits));
    sim.check(outcome.cause() == close_cause::deadline_exceeded, outcome.describe());
    sim.check(sim.now() - before == 24h, "the deadline's time has passed");
  });
  CHECK_MESSAGE(!end.is_failure(), end.message);
}

TEST_CASE("channels between Asio coroutines are simulated") {
  auto end = simulator::once(7, [](simulator& sim) {
    using channel = asio::experimental::channel<void(boost::system::error_code, int)>;
    auto s = sim.root().open_session({});
    const auto strand = asio::make_strand(s.get_executor());
    channel pipe{strand, 1};
    int sum = 0;
    asio::co_spawn(
        strand,
        [&]() -> asio::awaitable<void> {
          for (int i = 1; i <= 10; ++i)
            co_await pipe.async_send({}, i, asio::use_awaitable);
        },
        or_fail);
    asio::co_spawn(
        strand,
        [&]() -> asio::awaitable<void> {
          for (int i = 1; i <= 10; ++i)
            sum += co_await pipe.async_receive(asio::use_awaitable);
        },
        or_fail);
    auto report = sim.block_on(s.close());
    sim.check(report->is_clean(), report->to_text());
    sim.check(sum == 55, "all have come");
  });
  CHECK_MESSAGE(!end.is_failure(), end.message);
}

TEST_CASE("real I/O never completes in the simulator, and the verdict names the operation") {
  auto end = simulator::once(1, [](simulator& sim) {
    auto s = sim.root().open_session({.name = "real"});
    asio::co_spawn(
        s.get_executor({.name = "real timer"}),
        []() -> asio::awaitable<void> {
          asio::steady_timer timer{co_await asio::this_coro::executor, 1ms};
          co_await timer.async_wait(asio::use_awaitable);
        },
        or_fail);
    sim.run_until_idle();
  });
  CHECK(end.end == verdict::deadlock);
  CHECK_MESSAGE(end.message.find("'real timer'") != std::string::npos, end.message);
  CHECK(end.message.find("an Asio operation") != std::string::npos);
}

} // namespace troupe::test
