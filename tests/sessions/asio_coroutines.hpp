// Coroutines of Asio's for tests of sessions, and waiting for what ends.
#pragma once
#include "sessions/system.hpp"
#include <boost/asio.hpp>
#include <doctest/doctest.h>

namespace troupe::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;

template <class T>
T wait_for(troupe::system& sys, task<T> what) {
  auto end = sys.block_on(std::move(what), 10s);
  REQUIRE(end.index() == 0);
  return std::get<0>(end).take_or_throw({});
}

inline cleanup_report close(troupe::system& sys, const session& s) { return wait_for(sys, s.close()); }

inline asio::awaitable<int> double_later(int n) {
  asio::steady_timer timer{co_await asio::this_coro::executor, 2ms};
  co_await timer.async_wait(asio::use_awaitable);
  co_return 2 * n;
}

inline asio::awaitable<void> wait_for_ever() {
  asio::steady_timer timer{co_await asio::this_coro::executor, 1h};
  co_await timer.async_wait(asio::use_awaitable);
}

} // namespace troupe::test
