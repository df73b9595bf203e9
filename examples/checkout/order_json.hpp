// The JSON that requests and answers are made of.
#pragma once
#include "examples/checkout/http.hpp"
#include "examples/checkout/order_store.hpp"
#include <optional>
#include <string>
#include <variant>

namespace checkout {

/// What a client wants to buy.
struct order_wish {
  std::string sku;
  int quantity = 0;
};

inline constexpr std::size_t sku_length_max = 64;
inline constexpr int order_quantity_max = 1000;

/// Reads {"sku":"...","quantity":n}. @returns the wish, or what is wrong with the text.
std::variant<order_wish, std::string> parse_wish(const std::string& text);

/// The number in "/orders/NUMBER", or nothing.
std::optional<std::int64_t> parse_order_target(const std::string& target);

http_response order_answer(unsigned status, const order& found);
http_response error_answer(unsigned status, const std::string& why);

} // namespace checkout
