// The order store in memory, and the words for a store's errors.
#include "examples/checkout/order_store.hpp"
#include <map>
#include <mutex>

namespace checkout {
namespace {

class store_error_category final : public std::error_category {
public:
  const char* name() const noexcept override { return "checkout.store"; }
  std::string message(int code) const override {
    switch (static_cast<store_errc>(code)) {
    case store_errc::busy:
      return "the order database is busy";
    case store_errc::unavailable:
      return "the order database is unavailable";
    }
    return "unknown error";
  }
};

class memory_store final : public order_store {
public:
  insert_result insert(const std::string& sku, int quantity, budget patience) override {
    if (patience <= budget::zero())
      return {store_errc::busy, 0};
    std::lock_guard guard{mutex_};
    const auto id = static_cast<std::int64_t>(orders_.size()) + 1;
    orders_.emplace(id, order{id, sku, quantity});
    return {{}, id};
  }

  find_result find(std::int64_t id, budget patience) override {
    if (patience <= budget::zero())
      return {store_errc::busy, {}};
    std::lock_guard guard{mutex_};
    const auto at = orders_.find(id);
    return {{}, at == orders_.end() ? std::nullopt : std::optional{at->second}};
  }

  std::error_code add_audit(std::int64_t id, const std::string& text, budget patience) override {
    if (patience <= budget::zero())
      return store_errc::busy;
    std::lock_guard guard{mutex_};
    audit_.emplace(id, text);
    return {};
  }

private:
  std::mutex mutex_;
  std::map<std::int64_t, order> orders_;
  std::multimap<std::int64_t, std::string> audit_;
};

} // namespace

const std::error_category& store_category() noexcept {
  static const store_error_category category;
  return category;
}

std::error_code make_error_code(store_errc code) noexcept { return {static_cast<int>(code), store_category()}; }

std::unique_ptr<order_store> make_memory_store() { return std::make_unique<memory_store>(); }

} // namespace checkout
