// A session in a session: a deadline that ends the inner one, and the cleanup reports of both.
#include "troupe.hpp"
#include <future>
#include <iostream>

using namespace std::chrono_literals;

namespace {

/// Asks a backend that never answers.
troupe::async<void> ask_backend() { co_await troupe::sleep_for(1h); }

/// A request with a deadline of 30 ms. It cancels what is scoped; what is in wait_until gets its grace.
troupe::cleanup_report late_request(troupe::system& sys, const troupe::session& server) {
  auto request = server.open_session({.name = "GET /late", .deadline = 30ms});
  request.spawn([] { return ask_backend(); }, {.name = "ask backend"}).detach();
  request
      .wait_until(
          []() -> troupe::async<void> {
            co_await troupe::sleep_for(60ms);
            std::cout << "the audit row is written although the deadline has passed\n\n";
          },
          {.name = "audit"})
      .detach();
  return std::move(*sys.block_on(request.closed())); // Nobody calls close: the deadline does.
}

/// Stands for a library that blocks its caller, and cannot be told to stop.
struct blocking_library {
  void call() {
    entered.set_value();
    released.get_future().wait();
  }
  std::promise<void> entered;
  std::promise<void> released;
};

/// A request that calls into that library: it outlasts the budget of the close.
troupe::cleanup_report stuck_request(troupe::system& sys, const troupe::session& server, blocking_library& library) {
  auto request = server.open_session({.name = "GET /stuck", .shutdown_budget = 100ms});
  request.spawn([&library] { library.call(); }, {.name = "blocking call"}).detach();
  library.entered.get_future().wait();
  return std::move(*sys.block_on(request.close()));
}

} // namespace

int main() {
  blocking_library library; // Outlives the system, which waits for whoever is still inside.
  troupe::system sys;
  auto server = sys.open_session({.name = "server"});

  const auto late = late_request(sys, server);
  std::cout << late.to_text() << '\n';
  const auto stuck = stuck_request(sys, server, library);
  std::cout << stuck.to_text() << '\n';
  library.released.set_value(); // The thread comes back; its result is dropped.

  // Closing the outer session closes what is left in it, and its report has what went wrong below.
  const auto all = std::move(*sys.block_on(server.close()));
  std::cout << all.to_text();
  return late.is_clean() && stuck.survivors.size() == 1 && all.children_dirty == 1 ? 0 : 1;
}
