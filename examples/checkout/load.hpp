// Many clients at once, each ordering one thing after another: the demonstration's and the tests' customers.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace checkout {

struct load_options {
  std::uint16_t port = 0;
  std::size_t clients = 100; ///< All connected before the first one orders.
  std::size_t orders_per_client = 1;
  std::vector<std::string> skus = {"book"}; ///< Ordered in turns, one piece each.
};

struct load_totals {
  std::map<unsigned, std::uint64_t> answers; ///< How many, by status.
  std::vector<std::int64_t> accepted;        ///< The order ids of the 201s, sorted.
  std::uint64_t closed = 0;                  ///< Connections that the server ended instead of taking another request.
  std::uint64_t refused = 0;                 ///< Connections that could not be had.
  std::uint64_t answered() const;
};

/// Runs the clients, a thread each, and waits for them. `on_answer` is called after each answer with their number so
/// far, by any of the threads. A client whose connection is closed tries a new one; if it gets none, it gives up.
load_totals run_load(const load_options& options, const std::function<void(std::uint64_t)>& on_answer = nullptr);

} // namespace checkout
