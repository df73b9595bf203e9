// A hundred thousand sessions on GCD: whatever a session costs must be given back.
#include "platform/gcd_dispatcher.hpp"
#include "sessions/system.hpp"
#include "tests/support/this_process.hpp"
#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

void open_and_close(troupe::system& sys, int count) {
  for (int i = 0; i < count; ++i) {
    auto s = sys.open_session({.name = "request", .deadline = 1min});
    s.spawn([] {}).detach();
    s.wait_until([]() -> async<void> { co_await yield(); });
    auto report = sys.block_on(s.close());
    REQUIRE(report);
    REQUIRE_MESSAGE(report->outcome == close_outcome::clean, report->to_text());
  }
}

} // namespace

TEST_SUITE_BEGIN("slow");

TEST_CASE("a hundred thousand sessions on GCD end with flat memory") {
  troupe::system sys{platform::make_gcd_dispatcher({.width = 2})};
  open_and_close(sys, 10'000);
  const auto early = testing::resident_bytes();
  open_and_close(sys, 90'000);
  const auto late = testing::resident_bytes();
  MESSAGE("resident after 10,000 sessions: " << early << ", after 100,000: " << late);
  CHECK(late < early + 4 * 1024 * 1024);
  CHECK(sys.root().children().empty());
  CHECK(sys.shutdown().outcome == close_outcome::clean);
}

TEST_SUITE_END();
