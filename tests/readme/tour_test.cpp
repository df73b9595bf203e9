// What README.md shows of tasks and sessions: the snippets are copied from here, line by line.
#include "troupe.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <iostream>

using namespace std::chrono_literals;

namespace {
std::atomic<int> audit_rows = 0;
void write_audit_row() { ++audit_rows; }
} // namespace

troupe::async<int> price_of(std::string title) {
  co_await troupe::sleep_for(5ms); // Stands for a slow service. No thread waits.
  co_return 3 * static_cast<int>(title.size());
}

TEST_CASE("the tour: a session") {
  audit_rows = 0;
  int total = 0;
  {
    troupe::system sys; // A pool of threads, and this thread as the main one.
    auto order = sys.open_session({.name = "order 17", .deadline = 2s});

    auto emma = order.spawn([] { return price_of("Emma"); });
    auto persuasion = order.spawn([] { return price_of("Persuasion"); });
    order.wait_until(write_audit_row).detach(); // Delays nobody, but the session ends after it.
    total = *sys.block_on(std::move(emma)) + *sys.block_on(std::move(persuasion));

    auto report = sys.block_on(order.close());
    std::cout << report->to_text(); // root/s2 'order 17': closed clean ...
    CHECK(report->is_clean());
    CHECK(report->counters.ok == 3);
  }
  CHECK(total == 42);
  CHECK(audit_rows == 1);
}

TEST_CASE("the tour: a leak") {
  troupe::system sys;
  auto order = sys.open_session({.name = "order 18", .on_close = troupe::join_mode::report});
  order.spawn([]() -> troupe::async<void> { co_await troupe::sleep_for(10min); }, {.name = "forgotten"}).detach();
  auto report = sys.block_on(order.close());
  std::cout << report->to_text();
  CHECK(report->outcome == troupe::close_outcome::dirty);
  REQUIRE(report->survivors.size() == 1);
  CHECK(report->survivors[0].name == "forgotten");
  CHECK(report->survivors[0].spawned_at.rfind("tour_test.cpp:", 0) == 0);
}
