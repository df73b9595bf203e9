// What the order stores promise, on both of them, and what the SQLite one does with a locked file and a full disk.
#include "examples/checkout/order_store.hpp"
#include "tests/examples/temp_folder.hpp"
#include <csignal>
#include <doctest/doctest.h>
#include <fstream>
#include <sqlite3.h>
#include <sys/resource.h>
#include <thread>

using namespace checkout;
using namespace std::chrono_literals;

namespace {

struct memory_backend {
  std::unique_ptr<order_store> store = make_memory_store();
};

struct sqlite_backend {
  temp_folder folder;
  std::string why;
  std::unique_ptr<order_store> store = open_sqlite_store({.path = folder.file("orders.db")}, why);
};

// A second program that has the file to itself.
class other_program {
public:
  explicit other_program(const std::string& path) {
    REQUIRE(sqlite3_open(path.c_str(), &database_) == SQLITE_OK);
    REQUIRE(sqlite3_exec(database_, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  void let_go() { CHECK(sqlite3_exec(database_, "COMMIT", nullptr, nullptr, nullptr) == SQLITE_OK); }
  ~other_program() { sqlite3_close(database_); }

private:
  sqlite3* database_ = nullptr;
};

// Stores orders until the store refuses one, whose error is returned.
std::error_code fill_up(order_store& store, std::vector<order>& acknowledged) {
  const std::string sku(900, 'x');
  for (int i = 0; i < 10'000; ++i) {
    const auto result = store.insert(sku, 1, 1s);
    if (result.error)
      return result.error;
    acknowledged.push_back({result.id, sku, 1});
  }
  return {};
}

} // namespace

TEST_CASE_TEMPLATE("an order store", Backend, memory_backend, sqlite_backend) {
  Backend backend;
  REQUIRE(backend.store);
  order_store& store = *backend.store;

  SUBCASE("finds what it has acknowledged") {
    const auto first = store.insert("book", 1, 1s);
    const auto second = store.insert("it's \"lamp\"; --", 20, 1s);
    REQUIRE_FALSE(first.error);
    REQUIRE_FALSE(second.error);
    CHECK(first.id == 1);
    CHECK(second.id == 2);
    CHECK(store.find(1, 1s).found == order{1, "book", 1});
    CHECK(store.find(2, 1s).found == order{2, "it's \"lamp\"; --", 20});
  }
  SUBCASE("finds nothing under an id that it never gave") {
    const auto result = store.find(7, 1s);
    CHECK_FALSE(result.error);
    CHECK_FALSE(result.found.has_value());
  }
  SUBCASE("stores nothing for a caller who has no time left") {
    CHECK(store.insert("book", 1, 0ms).error == store_errc::busy);
    CHECK(store.find(1, -5ms).error == store_errc::busy);
    CHECK(store.add_audit(1, "late", 0ms) == store_errc::busy);
    CHECK_FALSE(store.find(1, 1s).found.has_value());
  }
  SUBCASE("takes orders from several threads at once") {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&store] {
        for (int i = 0; i < 10; ++i)
          if (const auto result = store.insert("book", 1, 10s); !result.error)
            (void)store.add_audit(result.id, "placed", 10s);
      });
    for (auto& thread : threads)
      thread.join();
    CHECK(store.find(40, 1s).found == order{40, "book", 1});
    CHECK_FALSE(store.find(41, 1s).found.has_value());
  }
}

TEST_CASE("orders and audit rows are still there after the SQLite file was closed") {
  const temp_folder folder;
  const auto path = folder.file("orders.db");
  std::string why;
  {
    const auto store = open_sqlite_store({.path = path}, why);
    REQUIRE_MESSAGE(store, why);
    REQUIRE(store->insert("book", 3, 1s).id == 1);
    REQUIRE_FALSE(store->add_audit(1, "placed", 1s));
  }
  const auto contents = read_sqlite_file(path);
  CHECK_FALSE(contents.error);
  CHECK(contents.orders == std::vector<order>{{1, "book", 3}});
  CHECK(contents.audited == std::vector<std::int64_t>{1});

  const auto store = open_sqlite_store({.path = path}, why);
  REQUIRE_MESSAGE(store, why);
  CHECK(store->insert("lamp", 1, 1s).id == 2);
}

TEST_CASE("a locked file is busy for as long as the caller has patience, and stores nothing") {
  sqlite_backend backend;
  REQUIRE(backend.store);
  other_program other{backend.folder.file("orders.db")};

  const auto begun_at = std::chrono::steady_clock::now();
  CHECK(backend.store->insert("book", 1, 60ms).error == store_errc::busy);
  const auto waited = std::chrono::steady_clock::now() - begun_at;
  CHECK(waited >= 40ms);
  CHECK(waited < 5s);
  CHECK(backend.store->add_audit(1, "placed", 20ms) == store_errc::busy);

  other.let_go();
  CHECK(backend.store->insert("book", 1, 1s).id == 1);
  CHECK(read_sqlite_file(backend.folder.file("orders.db")).orders.size() == 1);
}

TEST_CASE("an insert that waits for a locked file goes through once the file is free") {
  sqlite_backend backend;
  REQUIRE(backend.store);
  other_program other{backend.folder.file("orders.db")};
  std::thread waiting([&] { CHECK(backend.store->insert("book", 1, 30s).id == 1); });
  std::this_thread::sleep_for(20ms); // Long enough to be waiting, most of the time; the outcome is the same if not.
  other.let_go();
  waiting.join();
}

TEST_CASE("a file that may not grow refuses orders and keeps exactly the acknowledged ones") {
  const temp_folder folder;
  const auto path = folder.file("orders.db");
  std::string why;
  const auto store = open_sqlite_store({.path = path, .page_limit = 12}, why);
  REQUIRE_MESSAGE(store, why);
  std::vector<order> acknowledged;
  CHECK(fill_up(*store, acknowledged) == store_errc::unavailable);
  CHECK(acknowledged.size() > 1);
  CHECK(store->insert(std::string(900, 'x'), 1, 1s).error == store_errc::unavailable);
  CHECK(store->find(1, 1s).found.has_value());
  CHECK(read_sqlite_file(path).orders == acknowledged);
}

TEST_CASE("an order that the database itself refuses leaves no lock behind") {
  sqlite_backend backend;
  REQUIRE(backend.store);
  const auto path = backend.folder.file("orders.db");
  sqlite3* operator_tool = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &operator_tool) == SQLITE_OK);
  const char* rule = "CREATE TRIGGER no_lamps BEFORE INSERT ON orders WHEN NEW.sku = 'lamp' "
                     "BEGIN SELECT RAISE(ABORT, 'no lamps'); END";
  CHECK(sqlite3_exec(operator_tool, rule, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(operator_tool);

  CHECK(backend.store->insert("lamp", 1, 1s).error == store_errc::unavailable);
  other_program other{path};
  other.let_go();
  CHECK(backend.store->insert("book", 1, 1s).id == 1);
}

TEST_CASE("a disk that takes no more bytes refuses orders and keeps exactly the acknowledged ones") {
  const temp_folder folder;
  const auto path = folder.file("orders.db");
  std::string why;
  auto store = open_sqlite_store({.path = path}, why);
  REQUIRE_MESSAGE(store, why);

  // Writing beyond this size fails with EFBIG once its signal is ignored.
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &old_limit) == 0);
  rlimit small = old_limit;
  small.rlim_cur = 256 * 1024;
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::vector<order> acknowledged;
  const auto error = fill_up(*store, acknowledged);
  CHECK(setrlimit(RLIMIT_FSIZE, &old_limit) == 0);
  std::signal(SIGXFSZ, old_handler);

  CHECK(error == store_errc::unavailable);
  CHECK(acknowledged.size() > 1);
  CHECK(read_sqlite_file(path).orders == acknowledged);
  // With room again, it goes on where it stopped.
  const auto next = store->insert("book", 1, 1s);
  CHECK_FALSE(next.error);
  acknowledged.push_back({next.id, "book", 1});
  store.reset();
  CHECK(read_sqlite_file(path).orders == acknowledged);
}

TEST_CASE("a file that is no database cannot be opened, and the reason is given") {
  const temp_folder folder;
  const auto path = folder.file("orders.db");
  std::ofstream(path) << std::string(8192, 'z');
  std::string why;
  CHECK_FALSE(open_sqlite_store({.path = path}, why));
  CHECK(why == "file is not a database");
  CHECK_FALSE(open_sqlite_store({.path = folder.file("no/such/folder.db")}, why));
  CHECK(why == "unable to open database file");
  CHECK(read_sqlite_file(path).error == store_errc::unavailable);
}
