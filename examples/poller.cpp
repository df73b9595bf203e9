// A supervised poller: it reads a sensor again and again, and its session restarts it with backoff when that fails.
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

/// Knows nothing of restarts: what `read` throws ends it.
troupe::async<void> poll(sensor& from, int& wanted) {
  std::cout << "the poller starts\n";
  while (wanted > 0) {
    const auto degrees = from.read();
    std::cout << "read " << degrees << '\n';
    --wanted;
    co_await troupe::sleep_for(5ms);
  }
  troupe::current_session().start_close(); // A real poller would go on until somebody else does that.
}

} // namespace

int main() {
  sensor roof;
  int wanted = 5;
  troupe::system sys;
  auto weather = sys.open_session({.name = "weather"});
  // It waits 10 ms before the first restart, then 20, then 40. More than 5 restarts in 10 s would end the session.
  const auto refused = weather.set_supervision({
      .max_restarts = 5,
      .window = 10s,
      .backoff = {.initial = 10ms, .max = 1s, .factor = 2, .jitter = 0},
  });
  // Transient: it is started again only after a failure.
  const auto not_started = weather.supervise({
      .name = "poller",
      .when = troupe::restart::transient,
      .start = [&] { return poll(roof, wanted); },
  });
  if (refused || not_started)
    return 1;
  const auto report = sys.block_on(weather.closed());
  std::cout << "closed " << to_string(report->outcome) << " after " << report->counters.spawned << " starts\n";
  return report->is_clean() && wanted == 0 ? 0 : 1;
}
