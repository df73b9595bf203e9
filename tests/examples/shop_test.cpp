// The whole shop over real sockets: load, SIGTERM, a locked file, a full disk; and SQLite has the last word.
#include "examples/checkout/http_client.hpp"
#include "examples/checkout/load.hpp"
#include "examples/checkout/shop.hpp"
#include "tests/examples/answers.hpp"
#include "tests/examples/temp_folder.hpp"
#include <csignal>
#include <doctest/doctest.h>
#include <sqlite3.h>
#include <thread>
#include <unistd.h>

using namespace checkout;
using namespace std::chrono_literals;

namespace {

struct open_shop {
  explicit open_shop(stock_levels stock, shop_options options = {}) {
    options.database.path = folder.file("orders.db");
    options.stock = std::move(stock);
    std::string why;
    shop = shop::open(options, why);
    REQUIRE_MESSAGE(shop, why);
  }
  http_client client() {
    http_client made;
    REQUIRE(made.connect(shop->port()));
    return made;
  }
  unsigned order(const std::string& sku) {
    const auto answer = client().request("POST", "/orders", R"({"sku":")" + sku + R"(","quantity":1})");
    return answer ? answer->status : 0;
  }
  std::vector<std::int64_t> stored_ids() const {
    const auto contents = read_sqlite_file(folder.file("orders.db"));
    CHECK_FALSE(contents.error);
    std::vector<std::int64_t> ids;
    for (const auto& each : contents.orders)
      ids.push_back(each.id);
    return ids;
  }

  temp_folder folder;
  std::unique_ptr<checkout::shop> shop;
};

void check_clean(const shop_summary& summary) {
  INFO(summary.to_text());
  CHECK(summary.is_clean());
}

} // namespace

TEST_CASE("the shop takes an order over HTTP and shows it again") {
  open_shop open{{{"book", 1}}};
  auto client = open.client();
  CHECK(status_of(client.request("GET", "/healthz")) == 200);
  const auto placed = client.request("POST", "/orders", R"({"sku":"book","quantity":1})");
  REQUIRE(placed);
  CHECK(placed->status == 201);
  CHECK(placed->body == R"({"id":1,"quantity":1,"sku":"book"})");
  CHECK(body_of(client.request("GET", "/orders/1")) == placed->body);
  CHECK(status_of(client.request("GET", "/orders/2")) == 404);
  CHECK(status_of(client.request("POST", "/orders", R"({"sku":"book","quantity":1})")) == 409);
  CHECK(status_of(client.request("POST", "/orders", "{")) == 400);
  client.close();
  const auto summary = open.shop->close();
  check_clean(summary);
  CHECK(summary.requests.sessions == 6);
  CHECK(summary.requests.clean == 6);
  CHECK(read_sqlite_file(open.folder.file("orders.db")).audited == std::vector<std::int64_t>{1});
}

TEST_CASE("SIGTERM under load: SQLite holds exactly the orders that clients saw accepted, each with its audit row") {
  open_shop open{{{"book", 60}, {"lamp", 10'000}}};
  load_totals seen;
  std::thread crowd([&] {
    seen = run_load({.port = open.shop->port(), .clients = 60, .orders_per_client = 5, .skus = {"book", "lamp"}},
                    [](std::uint64_t answered) {
                      if (answered == 150)
                        kill(getpid(), SIGTERM);
                    });
  });
  open.shop->wait_for_signal();
  const auto summary = open.shop->close();
  crowd.join();
  check_clean(summary);
  CHECK(seen.answered() >= 150);
  CHECK(seen.answered() == summary.http.answers);
  CHECK(seen.answers.count(503) == 0);
  CHECK(summary.http.dropped == 0);
  CHECK(open.stored_ids() == seen.accepted);
  CHECK(read_sqlite_file(open.folder.file("orders.db")).audited == seen.accepted);
}

TEST_CASE("the last piece is sold once, however many want it") {
  open_shop open{{{"book", 1}}};
  auto seen = run_load({.port = open.shop->port(), .clients = 40});
  CHECK(seen.answers[201] == 1);
  CHECK(seen.answers[409] == 39);
  const auto summary = open.shop->close();
  check_clean(summary);
  CHECK(open.stored_ids() == seen.accepted);
}

TEST_CASE(
    "while the database is locked, orders are refused by their deadline, nothing is stored, and stock goes back") {
  shop_options options;
  options.request_deadline = 300ms;
  open_shop open{{{"book", 1}}, options};
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(open.folder.file("orders.db").c_str(), &other) == SQLITE_OK);
  REQUIRE(sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) == SQLITE_OK);
  const auto begun_at = std::chrono::steady_clock::now();
  CHECK(open.order("book") == 503);
  CHECK(std::chrono::steady_clock::now() - begun_at < 10s);
  CHECK(status_of(open.client().request("GET", "/healthz")) == 200);
  CHECK(sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(other);
  CHECK(open.stored_ids().empty());

  CHECK(open.order("book") == 201);
  check_clean(open.shop->close());
  CHECK(open.stored_ids() == std::vector<std::int64_t>{1});
}

TEST_CASE("when the disk is full, orders are refused, and those accepted before are all there") {
  shop_options options;
  options.database.page_limit = 6;
  open_shop open{{{"book", 100'000}}, options};
  auto seen = run_load({.port = open.shop->port(), .clients = 4, .orders_per_client = 150});
  CHECK(seen.answers[201] > 0);
  CHECK(seen.answers[503] > 0);
  CHECK(seen.answered() == 600);
  const auto summary = open.shop->close();
  CHECK(summary.http.dropped == 0);
  CHECK(summary.requests.failed == 0);
  CHECK(open.stored_ids() == seen.accepted);
}

TEST_CASE("a shop that cannot open says why") {
  const temp_folder folder;
  shop_options options;
  options.database.path = folder.file("no/such/orders.db");
  std::string why;
  CHECK_FALSE(shop::open(options, why));
  CHECK(why == "cannot open " + options.database.path + ": unable to open database file");

  open_shop open{{{"book", 1}}};
  options.database.path = folder.file("orders.db");
  options.http.port = open.shop->port();
  CHECK_FALSE(shop::open(options, why));
  CHECK(why == "cannot listen on 127.0.0.1:" + std::to_string(open.shop->port()) + ": Address already in use");
  options.http.port = 0;
  options.http.address = "nowhere";
  CHECK_FALSE(shop::open(options, why));
  CHECK(why.rfind("cannot listen on nowhere:0: ", 0) == 0);
  check_clean(open.shop->close());
}
