// Where orders are kept: the interface that the handlers use, its SQLite form and one in memory for scenarios.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace checkout {

/// An order as it is kept.
struct order {
  std::int64_t id = 0; ///< Given by the store, from 1 on; never used twice.
  std::string sku;
  int quantity = 0;
  bool operator==(const order&) const = default;
};

/// Why a store refused. In either case nothing was stored.
enum class store_errc {
  busy = 1,    ///< Somebody else holds the database; worth another try.
  unavailable, ///< The disk is full or broken, or the file is no database: an operator has to look.
};
const std::error_category& store_category() noexcept;
std::error_code make_error_code(store_errc code) noexcept;

/// What became of an `insert`: an id, or the reason why there is none.
struct insert_result {
  std::error_code error;
  std::int64_t id = 0;
};

/// What became of a `find`: an order, nothing, or the reason why it could not be looked for.
struct find_result {
  std::error_code error;
  std::optional<order> found;
};

/// Keeps orders and the audit rows written about them.
/// Thread safety: any member from any thread; calls may block for `budget`, so call from a task, never from an actor.
class order_store {
public:
  /// How long a call may wait for others. Zero or less: it fails with `busy` and stores nothing.
  using budget = std::chrono::milliseconds;

  virtual ~order_store() = default;

  /// Stores an order. Success means that it is on the disk; an error that it is not and will not be.
  [[nodiscard]] virtual insert_result insert(const std::string& sku, int quantity, budget patience) = 0;

  /// Looks an order up by its id.
  [[nodiscard]] virtual find_result find(std::int64_t id, budget patience) = 0;

  /// Adds a row about the order `id` to the audit log.
  [[nodiscard]] virtual std::error_code add_audit(std::int64_t id, const std::string& text, budget patience) = 0;
};

/// Keeps everything in memory; for scenarios and tests.
std::unique_ptr<order_store> make_memory_store();

/// How to open a SQLite file.
struct sqlite_options {
  std::string path;             ///< Created if there is none.
  std::uint32_t page_limit = 0; ///< Pages (of 4 KiB, as a rule) that the file may grow to; 0: as SQLite likes.
};

/// Opens `options.path`, and creates its tables if need be. One connection, used by one call at a time.
/// @returns null if that fails; `why` then tells what SQLite said.
std::unique_ptr<order_store> open_sqlite_store(const sqlite_options& options, std::string& why);

/// Everything that a SQLite file holds, as read by a connection of its own.
struct store_contents {
  std::error_code error;
  std::vector<order> orders;         ///< By id.
  std::vector<std::int64_t> audited; ///< The order ids of the audit rows, in order.
};
store_contents read_sqlite_file(const std::string& path);

} // namespace checkout

template <>
struct std::is_error_code_enum<checkout::store_errc> : std::true_type {};
