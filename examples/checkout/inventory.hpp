// The stock, kept by a plain event-based CAF actor that knows nothing of Troupe. (Its messages are declared with
// Troupe's macros, so that they can be sent with CAF 0.17 and with CAF 1.)
#pragma once
#include "actors/caf_compat.hpp"
#include <caf/event_based_actor.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace checkout {

/// Who has taken something from the stock; given by the requester, never used twice.
using claim_id = std::uint32_t;

/// What an inventory holds at first: pieces by sku.
using stock_levels = std::map<std::string, int>;

// -- the messages of the inventory --

/// Asks how many pieces there are. Answered with an int; -1 for an unknown sku.
struct read_stock {
  std::string sku;
};

/// Takes pieces without looking how many there are: the caller has read the stock before. Answered with an empty
/// message. (The bug: between the two messages somebody else may have taken them.)
struct take_stock {
  std::string sku;
  int quantity = 0;
  claim_id claim = 0;
};

/// Takes pieces if there are enough. Answered with a reserve_result.
struct try_reserve {
  std::string sku;
  int quantity = 0;
  claim_id claim = 0;
};

/// Ends a claim: what it has taken is sold, or goes back. Unknown claims are ignored. Not answered.
struct end_claim {
  claim_id claim = 0;
  bool is_sold = false;
};

enum class reserve_result : std::int32_t { reserved, out_of_stock, unknown_sku };
const char* to_string(reserve_result result) noexcept;
TROUPE_ENUM(reserve_result);

template <class Inspector>
auto inspect(Inspector& f, read_stock& x) {
  return troupe::inspect_fields(f, x, "read_stock", troupe::message_field{"sku", x.sku});
}
template <class Inspector>
auto inspect(Inspector& f, take_stock& x) {
  return troupe::inspect_fields(f, x, "take_stock", troupe::message_field{"sku", x.sku},
                                troupe::message_field{"quantity", x.quantity}, troupe::message_field{"claim", x.claim});
}
template <class Inspector>
auto inspect(Inspector& f, try_reserve& x) {
  return troupe::inspect_fields(f, x, "try_reserve", troupe::message_field{"sku", x.sku},
                                troupe::message_field{"quantity", x.quantity}, troupe::message_field{"claim", x.claim});
}
template <class Inspector>
auto inspect(Inspector& f, end_claim& x) {
  return troupe::inspect_fields(f, x, "end_claim", troupe::message_field{"claim", x.claim},
                                troupe::message_field{"is_sold", x.is_sold});
}

} // namespace checkout

TROUPE_BEGIN_MESSAGES(checkout, caf::first_custom_type_id);
TROUPE_MESSAGE(checkout, (checkout::read_stock));
TROUPE_MESSAGE(checkout, (checkout::take_stock));
TROUPE_MESSAGE(checkout, (checkout::try_reserve));
TROUPE_MESSAGE(checkout, (checkout::end_claim));
TROUPE_MESSAGE(checkout, (checkout::reserve_result));
TROUPE_END_MESSAGES(checkout);

namespace checkout {

/// The actor. It asserts that nothing is ever sold that is not there.
class inventory : public caf::event_based_actor {
public:
  /// Told, inside of the actor, when the stock of a sku has fallen below zero.
  using oversold_callback = std::function<void(const std::string& sku, int stock)>;

  inventory(caf::actor_config& config, stock_levels levels, oversold_callback oversold);
  const char* name() const override { return "inventory"; }

protected:
  caf::behavior make_behavior() override;

private:
  struct taken {
    std::string sku;
    int quantity = 0;
  };
  void take(const std::string& sku, int quantity, claim_id claim);

  stock_levels levels_;
  std::map<claim_id, taken> claims_;
  oversold_callback oversold_;
};

} // namespace checkout
