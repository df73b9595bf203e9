// A supervised poller: it reads a sensor again and again, and is restarted with exponential backoff when that fails.
#include "troupe.hpp"
#include <iostream>
#include <stdexcept>

using namespace std::chrono_literals;

namespace {

/// Stands for something at the other end of a network: its third to fifth reading fail.
class sensor {
public:
  int read() {
    ++reads_;
    if (reads_ >= 3 && reads_ <= 5)
      throw std::runtime_error{"no connection"};
    return 20 + reads_;
  }

private:
  int reads_ = 0;
};

/// Knows nothing of failures and restarts: what `read` throws ends it.
troupe::async<void> poll(sensor& from, int& wanted) {
  while (wanted > 0) {
    const auto degrees = from.read();
    std::cout << "read " << degrees << '\n';
    --wanted;
    co_await troupe::sleep_for(5ms);
  }
}

/// Starts the poller, and again whenever the policy says so. Ends with the poller, or when restarting does not help.
troupe::async<bool> supervise(troupe::session owner, sensor& from, int& wanted) {
  troupe::restart_policy policy{{
      .max_restarts = 5,
      .window = 10s,
      .backoff = {.initial = 10ms, .max = 1s, .factor = 2, .jitter = 0},
  }};
  const auto poller = policy.add(troupe::restart::transient); // Started again only if it fails.
  for (;;) {
    auto started = owner.spawn([&] { return poll(from, wanted); }, {.name = "poller"});
    const auto ended = co_await started.fallible();
    if (ended.has_value())
      co_return true;
    const auto now = std::chrono::steady_clock::now();
    const auto decision = policy.ended(poller, true, now, 0.5); // The last argument is the dice for the jitter.
    if (decision.action != troupe::restart_decision::restart_children)
      co_return false;
    std::cout << ended.describe() << ", again in " << troupe::to_text(decision.delay) << '\n';
    co_await troupe::sleep_for(decision.delay);
    policy.started(poller);
  }
}

} // namespace

int main() {
  sensor roof;
  int wanted = 5; // A real poller would go on until its session closes.

  troupe::system_options options;
  options.log = [](const std::string&) {}; // The failures are told above.
  troupe::system sys{std::move(options)};
  // A poller that fails is no failure of the session: its supervisor deals with it.
  auto weather = sys.open_session({.name = "weather", .on_failure = troupe::failure_policy::log});
  // A daemon: were the session to close now, this would be cancelled first.
  auto supervisor = weather.daemon([&] { return supervise(weather, roof, wanted); }, {.name = "supervisor"});
  const auto done = sys.block_on(std::move(supervisor));
  const auto report = sys.block_on(weather.close());
  std::cout << (done && *done ? "done" : "gave up") << ", the session closed " << to_string(report->outcome)
            << " after " << report->counters.spawned << " tasks, " << report->counters.failed << " of which failed\n";
  return done && *done && report->is_clean() ? 0 : 1;
}
