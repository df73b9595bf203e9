// Sessions on the wasm dispatcher keep the contract, driven by the tests' own thread.
#include "platform/wasm_dispatcher.hpp"
#include "tests/contracts/ownership_contract.hpp"
#include "tests/contracts/session_contract.hpp"
#include "tests/contracts/supervision_contract.hpp"
#include <doctest/doctest.h>

namespace troupe::test {

struct wasm_sessions {
  troupe::system& sys() noexcept { return system_; }

private:
  troupe::system system_{platform::make_wasm_dispatcher({.may_block = true}), {.log = [](const std::string&) {}}};
};

} // namespace troupe::test

TYPE_TO_STRING(troupe::test::wasm_sessions);

namespace troupe::test {

TROUPE_SESSION_CONTRACT(wasm_sessions);
TROUPE_OWNERSHIP_CONTRACT(wasm_sessions);
TROUPE_SUPERVISION_CONTRACT(wasm_sessions);

TEST_CASE("a system on the JavaScript loop refuses to block and to start threads, and says why") {
  troupe::system sys;
  auto task = sys.root().spawn([]() -> async<void> { co_await sleep_for(1h); });
  const auto refused = sys.block_on(std::move(task));
  REQUIRE(refused.error() == platform::dispatch_errc::cannot_block);
  CHECK(refused.error().message().find("co_await") != std::string::npos);
  CHECK_THROWS_AS((void)sys.caf().spawn<caf::detached>([](caf::event_based_actor*) -> caf::behavior { return {}; }),
                  std::system_error);
  CHECK_THROWS_AS((void)sys.caf().spawn<caf::detached>([](caf::blocking_actor*) {}), std::system_error);
  CHECK(sys.dispatcher().thread_count() == 0);
}

} // namespace troupe::test
