// The demonstration.
#include "examples/checkout/demo.hpp"
#include "examples/checkout/load.hpp"
#include "examples/checkout/shop.hpp"
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <thread>
#include <unistd.h>

namespace checkout {
namespace {

constexpr int books_on_the_shelf = 250;
constexpr std::size_t orders_per_client = 2;

class temporary_folder {
public:
  temporary_folder() : path_((std::filesystem::temp_directory_path() / "troupe-checkout-XXXXXX").string()) {
    is_there_ = mkdtemp(path_.data()) != nullptr;
  }
  ~temporary_folder() {
    std::error_code ignored;
    if (is_there_)
      std::filesystem::remove_all(path_, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  explicit operator bool() const { return is_there_; }
  const std::string& path() const { return path_; }

private:
  std::string path_;
  bool is_there_ = false;
};

// Prints what must hold, and remembers whether all of it did.
class findings {
public:
  void expect(bool holds, const std::string& what) {
    std::cout << (holds ? "  ok    " : "  WRONG ") << what << std::endl;
    all_hold_ = all_hold_ && holds;
  }
  bool all_hold() const { return all_hold_; }

private:
  bool all_hold_ = true;
};

int explore(const troupe::scenario_set& scenarios, const char* program, const std::string& name,
            const std::string& seeds) {
  std::cout << "\n$ " << program << " explore " << name << " --seeds " << seeds << std::endl;
  const char* const arguments[] = {program, "explore", name.c_str(), "--seeds", seeds.c_str()};
  return troupe::scenario_main(scenarios, 5, arguments);
}

void explore_both(const troupe::scenario_set& scenarios, const char* program, const demo_options& options,
                  findings& found) {
  const auto seeds = std::to_string(options.seeds);
  std::cout << "== The handlers in the simulator: two clients want the last book" << std::endl;
  found.expect(explore(scenarios, program, "checkout-buggy", seeds) == 1,
               "the planted bug, stock read and taken in two messages, is found");
  found.expect(explore(scenarios, program, "checkout-fixed", seeds) == 0,
               "the fixed variant oversells under none of the same seeds");
}

void serve_crowd(const demo_options& options, findings& found) {
  std::cout << "\n== The same handlers over HTTP" << std::endl;
  const temporary_folder folder;
  if (!folder)
    return found.expect(false, "a temporary folder can be made");
  shop_options chosen;
  chosen.database.path = folder.path() + "/orders.db";
  chosen.stock = {{"book", books_on_the_shelf}, {"lamp", 100'000}};
  chosen.request_deadline = std::chrono::seconds{60}; // Slow disks are no news here.
  std::string why;
  const auto open_shop = shop::open(chosen, why);
  if (!open_shop)
    return found.expect(false, why);

  load_options load;
  load.port = open_shop->port();
  load.clients = options.clients;
  load.orders_per_client = orders_per_client;
  load.skus = {"book", "book", "lamp"};
  const auto signal_at = load.clients * load.orders_per_client * 3 / 4;
  std::cout << "listening on http://127.0.0.1:" << load.port << "; " << load.clients << " clients connect, each orders "
            << load.orders_per_client << " times; SIGTERM comes after " << signal_at << " answers" << std::endl;

  const auto begun_at = std::chrono::steady_clock::now();
  load_totals seen;
  std::thread crowd([&] {
    seen = run_load(load, [signal_at](std::uint64_t answered) {
      if (answered == signal_at)
        kill(getpid(), SIGTERM);
    });
  });
  open_shop->wait_for_signal();
  const auto summary = open_shop->close();
  crowd.join();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun_at;

  std::cout << "clients saw: " << seen.answered() << " answers (";
  const char* separator = "";
  for (const auto& [status, count] : seen.answers) {
    std::cout << separator << count << " x " << status;
    separator = ", ";
  }
  std::cout << ") in " << taken.count() << " s; after SIGTERM " << seen.refused << " could not connect, " << seen.closed
            << " were closed unserved\n"
            << summary.to_text();

  const auto kept = read_sqlite_file(chosen.database.path);
  std::vector<std::int64_t> stored;
  std::size_t books = 0;
  for (const auto& each : kept.orders) {
    stored.push_back(each.id);
    books += each.sku == "book";
  }
  found.expect(seen.answered() >= signal_at, "the crowd was served until SIGTERM");
  found.expect(seen.answered() == summary.http.answers, "every request that was accepted got its answer");
  found.expect(!kept.error && stored == seen.accepted,
               "SQLite holds exactly the " + std::to_string(seen.accepted.size()) + " accepted orders");
  found.expect(kept.audited == seen.accepted, "each of them has its audit row");
  found.expect(books <= books_on_the_shelf,
               std::to_string(books) + " of " + std::to_string(books_on_the_shelf) + " books were sold");
  found.expect(summary.is_clean(), "every session closed clean");
}

} // namespace

int run_demo(const troupe::scenario_set& scenarios, const char* program, const demo_options& options) {
  findings found;
  explore_both(scenarios, program, options, found);
  serve_crowd(options, found);
  std::cout << (found.all_hold() ? "\nAll is as it should be." : "\nSomething is wrong, see above.") << std::endl;
  return found.all_hold() ? 0 : 1;
}

} // namespace checkout
