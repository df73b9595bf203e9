// The order store in a SQLite file. No SQLite type leaves this file.
#include "examples/checkout/order_store.hpp"
#include <algorithm>
#include <mutex>
#include <sqlite3.h>

namespace checkout {
namespace {

using clock = std::chrono::steady_clock;
using budget = order_store::budget;

constexpr const char* schema = "CREATE TABLE IF NOT EXISTS orders("
                               "  id INTEGER PRIMARY KEY AUTOINCREMENT, sku TEXT NOT NULL, quantity INTEGER NOT NULL);"
                               "CREATE TABLE IF NOT EXISTS audit("
                               "  id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, text TEXT NOT NULL);";

// Creating the tables and switching the journal may meet another program that starts up.
constexpr budget open_patience{2'000};

std::error_code to_error(int code) noexcept {
  switch (code & 0xff) { // The extended codes keep the primary one in their low byte.
  case SQLITE_OK:
  case SQLITE_ROW:
  case SQLITE_DONE:
    return {};
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
  case SQLITE_PROTOCOL:
    return store_errc::busy;
  default:
    return store_errc::unavailable;
  }
}

struct close_database {
  void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
};
struct finalize_statement {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using database_ptr = std::unique_ptr<sqlite3, close_database>;
using statement_ptr = std::unique_ptr<sqlite3_stmt, finalize_statement>;

statement_ptr prepare(sqlite3* database, const char* text) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database, text, -1, &statement, nullptr) != SQLITE_OK)
    return nullptr;
  return statement_ptr{statement};
}

// One use of a prepared statement; it must not stay open, for an open one keeps its locks.
class query {
public:
  explicit query(const statement_ptr& statement) : statement_(statement.get()) {}
  ~query() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  query(const query&) = delete;
  query& operator=(const query&) = delete;

  query& bind(int at, std::int64_t value) {
    remember(sqlite3_bind_int64(statement_, at, value));
    return *this;
  }
  query& bind(int at, const std::string& value) {
    remember(sqlite3_bind_text(statement_, at, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT));
    return *this;
  }
  int step() { return failed_ != SQLITE_OK ? failed_ : sqlite3_step(statement_); }
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))) : "";
  }

private:
  void remember(int code) {
    if (failed_ == SQLITE_OK)
      failed_ = code;
  }

  sqlite3_stmt* statement_;
  int failed_ = SQLITE_OK;
};

order read_order(const query& row) { return {row.integer(0), row.text(1), static_cast<int>(row.integer(2))}; }

class sqlite_store final : public order_store {
public:
  // Everything that `open` needs to say goes into `why`.
  static std::unique_ptr<sqlite_store> open(const sqlite_options& options, std::string& why) {
    auto store = std::unique_ptr<sqlite_store>{new sqlite_store};
    if (const int code = store->connect(options); code != SQLITE_OK) {
      why = store->database_ ? sqlite3_errmsg(store->database_.get()) : sqlite3_errstr(code);
      return nullptr;
    }
    return store;
  }

  insert_result insert(const std::string& sku, int quantity, budget patience) override {
    turn mine{*this, patience};
    if (mine.error)
      return {mine.error, 0};
    const int code = write([&] { return query{insert_}.bind(1, sku).bind(2, quantity).step(); });
    return code == SQLITE_OK ? insert_result{{}, sqlite3_last_insert_rowid(database_.get())}
                             : insert_result{to_error(code), 0};
  }

  find_result find(std::int64_t id, budget patience) override {
    turn mine{*this, patience};
    if (mine.error)
      return {mine.error, {}};
    query row{find_};
    const int code = row.bind(1, id).step();
    if (code == SQLITE_ROW)
      return {{}, read_order(row)};
    return {to_error(code), {}};
  }

  std::error_code add_audit(std::int64_t id, const std::string& text, budget patience) override {
    turn mine{*this, patience};
    if (mine.error)
      return mine.error;
    return to_error(write([&] { return query{audit_}.bind(1, id).bind(2, text).step(); }));
  }

private:
  sqlite_store() = default;

  // The time spent waiting for this object is part of the caller's patience, and the file's lock gets the rest.
  struct turn {
    turn(sqlite_store& store, budget patience) : deadline(clock::now() + patience), guard(store.mutex_) {
      const auto left = std::chrono::duration_cast<budget>(deadline - clock::now());
      if (left <= budget::zero())
        error = store_errc::busy;
      else
        sqlite3_busy_timeout(store.database_.get(), static_cast<int>(std::min<budget::rep>(left.count(), 3'600'000)));
    }
    clock::time_point deadline;
    std::lock_guard<std::mutex> guard;
    std::error_code error;
  };

  int connect(const sqlite_options& options) {
    sqlite3* raw = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(options.path.c_str(), &raw, flags, nullptr);
    database_.reset(raw);
    if (code != SQLITE_OK)
      return code;
    sqlite3_busy_timeout(raw, static_cast<int>(open_patience.count()));
    // FULL: an order is acknowledged after the commit, so the commit must have reached the disk.
    std::string text = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;";
    if (options.page_limit > 0)
      text += "PRAGMA max_page_count=" + std::to_string(options.page_limit) + ";";
    text += schema;
    if (code = sqlite3_exec(raw, text.c_str(), nullptr, nullptr, nullptr); code != SQLITE_OK)
      return code;
    begin_ = prepare(raw, "BEGIN IMMEDIATE");
    commit_ = prepare(raw, "COMMIT");
    rollback_ = prepare(raw, "ROLLBACK");
    insert_ = prepare(raw, "INSERT INTO orders(sku, quantity) VALUES(?, ?)");
    find_ = prepare(raw, "SELECT id, sku, quantity FROM orders WHERE id = ?");
    audit_ = prepare(raw, "INSERT INTO audit(order_id, text) VALUES(?, ?)");
    return begin_ && commit_ && rollback_ && insert_ && find_ && audit_ ? SQLITE_OK : sqlite3_errcode(raw);
  }

  // Runs one change in a transaction of its own. Anything but SQLITE_OK: nothing was changed.
  template <class Change>
  int write(Change&& change) {
    int code = query{begin_}.step(); // Takes the write lock at once: what follows cannot be refused as busy.
    if (code == SQLITE_DONE)
      code = change();
    if (code == SQLITE_DONE)
      code = query{commit_}.step();
    if (code == SQLITE_DONE)
      return SQLITE_OK;
    // A failed commit leaves its transaction open, unless SQLite rolled it back by itself.
    if (sqlite3_get_autocommit(database_.get()) == 0)
      query{rollback_}.step();
    return code;
  }

  std::mutex mutex_;
  database_ptr database_;
  statement_ptr begin_, commit_, rollback_, insert_, find_, audit_;
};

} // namespace

std::unique_ptr<order_store> open_sqlite_store(const sqlite_options& options, std::string& why) {
  return sqlite_store::open(options, why);
}

store_contents read_sqlite_file(const std::string& path) {
  store_contents contents;
  sqlite3* raw = nullptr;
  int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr); // A WAL file needs to be writable.
  const database_ptr database{raw};
  if (code != SQLITE_OK) {
    contents.error = to_error(code);
    return contents;
  }
  sqlite3_busy_timeout(raw, static_cast<int>(open_patience.count()));
  const auto orders = prepare(raw, "SELECT id, sku, quantity FROM orders ORDER BY id");
  const auto audit = prepare(raw, "SELECT order_id FROM audit ORDER BY order_id");
  if (!orders || !audit) {
    contents.error = to_error(sqlite3_errcode(raw));
    return contents;
  }
  query order_row{orders};
  while ((code = order_row.step()) == SQLITE_ROW)
    contents.orders.push_back(read_order(order_row));
  if (code == SQLITE_DONE) {
    query audit_row{audit};
    while ((code = audit_row.step()) == SQLITE_ROW)
      contents.audited.push_back(audit_row.integer(0));
  }
  contents.error = to_error(code);
  return contents;
}

} // namespace checkout
