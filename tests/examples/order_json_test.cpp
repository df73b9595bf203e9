// What the JSON of an order may look like, and what is said of any other.
#include "examples/checkout/order_json.hpp"
#include <doctest/doctest.h>

using namespace checkout;

namespace {
std::string complaint(const std::string& text) {
  const auto parsed = parse_wish(text);
  const auto* why = std::get_if<std::string>(&parsed);
  return why ? *why : "";
}
} // namespace

TEST_CASE("a wish is read from JSON") {
  const auto parsed = parse_wish(R"( {"quantity": 12, "sku": "b\u00fcch", "note": [1, 2]} )");
  REQUIRE(std::holds_alternative<order_wish>(parsed));
  CHECK(std::get<order_wish>(parsed).sku == "b\xc3\xbc"
                                            "ch");
  CHECK(std::get<order_wish>(parsed).quantity == 12);
}

TEST_CASE("a body that is no wish is refused with the reason") {
  CHECK(complaint("") == "the body is not JSON");
  CHECK(complaint("{\"sku\":") == "the body is not JSON");
  CHECK(complaint("{\"sku\":\"\xff\",\"quantity\":1}") == "the body is not JSON");
  CHECK(complaint("[1]") == "the body is not a JSON object");
  const std::string bad_sku = "sku must be a string of 1 to 64 bytes";
  CHECK(complaint(R"({"quantity":1})") == bad_sku);
  CHECK(complaint(R"({"sku":7,"quantity":1})") == bad_sku);
  CHECK(complaint(R"({"sku":"","quantity":1})") == bad_sku);
  CHECK(complaint(R"({"quantity":1,"sku":")" + std::string(65, 'x') + "\"}") == bad_sku);
  const std::string bad_quantity = "quantity must be a whole number from 1 to 1000";
  for (const char* quantity : {"0", "-1", "1.5", "1001", "\"1\"", "null", "true", "1e2", "18446744073709551617"})
    CHECK(complaint(std::string{R"({"sku":"book","quantity":)"} + quantity + "}") == bad_quantity);
  CHECK(complaint(R"({"sku":"book"})") == bad_quantity);
  CHECK(complaint(std::string(60'000, '[')) == "the body is not JSON");
}

TEST_CASE("only a whole positive number names an order") {
  CHECK(parse_order_target("/orders/17") == 17);
  for (const char* target : {"/orders/", "/orders/0", "/orders/-3", "/orders/1x", "/orders/x", "/orders/1/2", "/orders",
                             "/orders/99999999999999999999", "/orders/ 1"})
    CHECK_FALSE(parse_order_target(target).has_value());
}

TEST_CASE("answers are JSON, whatever is in them") {
  CHECK(order_answer(201, {7, "a \"b\"", 2}).body == R"({"id":7,"quantity":2,"sku":"a \"b\""})");
  CHECK(error_answer(409, "out of stock").body == R"({"error":"out of stock"})");
  CHECK(error_answer(409, "out of stock").status == 409);
}
