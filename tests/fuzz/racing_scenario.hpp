// A scenario that fails under some orders of events and not in the default one.
#pragma once
#include "sim/scenario.hpp"
#include "sim/simulator.hpp"
#include <memory>

namespace troupe::testing {

/// Two tasks read a number, let others run, and write what they read plus one.
inline async<void> read_then_write(std::shared_ptr<int> number, int hesitation) {
  for (int i = 0; i < hesitation; ++i)
    co_await yield();
  const int seen = *number;
  co_await yield();
  *number = seen + 1;
}

/// Something with delays beside it.
inline async<void> sleep_twice() {
  co_await sleep_for(std::chrono::milliseconds{1});
  co_await sleep_for(std::chrono::milliseconds{1});
}

inline scenario race() {
  return {"race", "two tasks increment a number in two steps", [](simulator& sim) {
            auto number = std::make_shared<int>(0);
            auto home = sim.root().open_session({.name = "race"});
            home.spawn([=] { return read_then_write(number, 0); }).detach();
            home.spawn([=] { return read_then_write(number, 3); }).detach();
            home.spawn([] { return sleep_twice(); }).detach();
            sim.run_until([&] { return home.unsettled() == 0; });
            sim.check(*number == 2, "an increment was lost");
          }};
}

} // namespace troupe::testing
