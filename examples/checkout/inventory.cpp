// The inventory actor.
#include "examples/checkout/inventory.hpp"
#include <caf/behavior.hpp>
#include <caf/result.hpp>
#include <caf/unit.hpp>

namespace checkout {

const char* to_string(reserve_result result) noexcept {
  switch (result) {
  case reserve_result::reserved:
    return "reserved";
  case reserve_result::out_of_stock:
    return "out_of_stock";
  case reserve_result::unknown_sku:
    return "unknown_sku";
  }
  return "?";
}

inventory::inventory(caf::actor_config& config, stock_levels levels, oversold_callback oversold)
    : caf::event_based_actor(config), levels_(std::move(levels)), oversold_(std::move(oversold)) {}

caf::behavior inventory::make_behavior() {
  return {
      [this](const read_stock& asked) {
        const auto at = levels_.find(asked.sku);
        return at == levels_.end() ? -1 : at->second;
      },
      [this](const take_stock& asked) {
        take(asked.sku, asked.quantity, asked.claim);
        return caf::unit;
      },
      [this](const try_reserve& asked) {
        const auto at = levels_.find(asked.sku);
        if (at == levels_.end())
          return reserve_result::unknown_sku;
        if (at->second < asked.quantity)
          return reserve_result::out_of_stock;
        take(asked.sku, asked.quantity, asked.claim);
        return reserve_result::reserved;
      },
      [this](const end_claim& asked) {
        const auto at = claims_.find(asked.claim);
        if (at == claims_.end())
          return;
        if (!asked.is_sold)
          levels_[at->second.sku] += at->second.quantity;
        claims_.erase(at);
      },
  };
}

void inventory::take(const std::string& sku, int quantity, claim_id claim) {
  const int left = levels_[sku] -= quantity;
  claims_[claim] = {sku, quantity};
  if (left < 0 && oversold_)
    oversold_(sku, left);
}

} // namespace checkout
