// JSON in and out, with nlohmann's library.
#include "examples/checkout/order_json.hpp"
#include <charconv>
#include <nlohmann/json.hpp>

namespace checkout {

using nlohmann::json;

std::variant<order_wish, std::string> parse_wish(const std::string& text) {
  const auto parsed = json::parse(text, nullptr, false);
  if (parsed.is_discarded())
    return "the body is not JSON";
  if (!parsed.is_object())
    return "the body is not a JSON object";
  const auto sku = parsed.find("sku");
  if (sku == parsed.end() || !sku->is_string() || sku->get_ref<const std::string&>().empty() ||
      sku->get_ref<const std::string&>().size() > sku_length_max)
    return "sku must be a string of 1 to " + std::to_string(sku_length_max) + " bytes";
  const auto quantity = parsed.find("quantity");
  if (quantity == parsed.end() || !quantity->is_number_unsigned() || quantity->get<std::uint64_t>() == 0 ||
      quantity->get<std::uint64_t>() > static_cast<std::uint64_t>(order_quantity_max))
    return "quantity must be a whole number from 1 to " + std::to_string(order_quantity_max);
  return order_wish{sku->get<std::string>(), quantity->get<int>()};
}

std::optional<std::int64_t> parse_order_target(const std::string& target) {
  constexpr std::string_view prefix = "/orders/";
  if (target.rfind(prefix, 0) != 0)
    return std::nullopt;
  std::int64_t id = 0;
  const char* const end = target.data() + target.size();
  const auto [at, error] = std::from_chars(target.data() + prefix.size(), end, id);
  if (error != std::errc{} || at != end || id < 1)
    return std::nullopt;
  return id;
}

http_response order_answer(unsigned status, const order& found) {
  return {status, json{{"id", found.id}, {"sku", found.sku}, {"quantity", found.quantity}}.dump()};
}

http_response error_answer(unsigned status, const std::string& why) { return {status, json{{"error", why}}.dump()}; }

} // namespace checkout
