// The wasm dispatcher keeps the contract, driven by the tests' own thread: what the JavaScript loop does with it has
// tests of its own (tests/js).
#include "platform/wasm_dispatcher.hpp"
#include "tests/contracts/dispatcher_contract.hpp"

namespace troupe::test {
namespace {

struct wasm_backend {
  static constexpr std::size_t threads = 0;
  static constexpr std::size_t threads_per_lane = 0;
  static constexpr bool has_threads = false;
  static constexpr bool is_weighted = true;
  static constexpr bool allocates_nothing = true;

  dispatcher& get() noexcept { return *dispatcher_; }

private:
  std::unique_ptr<dispatcher> dispatcher_ = platform::make_wasm_dispatcher({.may_block = true});
};

} // namespace
} // namespace troupe::test

TYPE_TO_STRING(troupe::test::wasm_backend);

namespace troupe::test {

TROUPE_DISPATCHER_CONTRACT(wasm_backend);

TEST_CASE("on the JavaScript loop blocking is refused at the call, with the reason, unless there is no need to") {
  const auto on = platform::make_wasm_dispatcher();
  latch done;
  const auto refused = on->block_until(done, {});
  CHECK(is(refused, dispatch_errc::cannot_block));
  CHECK(refused.message().find("co_await") != std::string::npos);
  CHECK(is(on->block_until(done, on->now() + 1h), dispatch_errc::cannot_block));
  done.release();
  CHECK_FALSE(on->block_until(done, {}));
}

TEST_CASE("a dispatcher that goes with its turn posted and its timer armed is not missed") {
  job work, later;
  {
    const auto on = platform::make_wasm_dispatcher();
    REQUIRE_FALSE(on->dispatch(background_lane, work, priority::normal));
    REQUIRE(on->dispatch_after(1ms, background_lane, later, priority::normal));
  }
  CHECK(work.runs() + work.drops() == 1);
  CHECK(later.drops() == 1);
}

} // namespace troupe::test
