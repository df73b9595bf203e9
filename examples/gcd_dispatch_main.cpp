// A program whose main thread belongs to GCD: the main queue runs the foreground lane, and ends the program.
#include "platform/gcd_dispatcher.hpp"
#include "platform/gcd_main_queue.hpp"
#include "troupe.hpp"
#include <cstdlib>
#include <iostream>
#include <string>

using namespace std::chrono_literals;

namespace {

/// What would be a server or an app. It lives on the main queue.
struct program {
  troupe::system sys{troupe::platform::make_gcd_dispatcher()};
  troupe::session home = sys.open_session({.name = "home"});
};

/// Runs on one of GCD's threads.
int measure(int number) { return number * number; }

/// Runs on the main queue, one step at a time, and leaves it while it waits.
troupe::async<void> show_measurements(troupe::session owner) {
  for (int number = 1; number <= 3; ++number) {
    auto measuring = owner.spawn([number] { return measure(number); });
    std::cout << "measured " << co_await measuring << (troupe::platform::is_on_main_queue() ? " on" : " off")
              << " the main queue\n";
    co_await troupe::sleep_for(2ms);
  }
}

/// Runs on the main queue as well, but outside of any task, so that it may take everything down.
void finish(void* context) {
  auto* whole = static_cast<program*>(context);
  const auto report = whole->sys.shutdown();
  std::cout << "closed " << to_string(report.outcome) << ", and " << whole->sys.dispatcher().thread_count()
            << " threads were started\n";
  delete whole;
  std::exit(report.is_clean() ? EXIT_SUCCESS : EXIT_FAILURE);
}

} // namespace

int main() {
  auto* whole = new program; // Not on this stack, which dispatch_main gives up.
  auto shown = whole->home.spawn([whole] { return show_measurements(whole->home); },
                                 {.on = &whole->sys.foreground(), .name = "show"});
  whole->home
      .spawn([whole, shown = std::move(shown)]() mutable -> troupe::async<void> {
        co_await shown;
        troupe::platform::call_on_main_queue(finish, whole);
      })
      .detach();
  troupe::platform::run_main_queue();
}
