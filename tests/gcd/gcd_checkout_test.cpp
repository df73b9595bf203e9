// The checkout example's handlers, as they are, on GCD.
#include "actors/ask.hpp"
#include "examples/checkout/handlers.hpp"
#include "platform/gcd_dispatcher.hpp"
#include <atomic>
#include <doctest/doctest.h>
#include <mutex>

using namespace checkout;
using namespace std::chrono_literals;

namespace {

/// Answers by status.
struct answers {
  std::atomic<int> created = 0, refused = 0, others = 0, left = 0;
  troupe::platform::latch all;

  respond_function respond() {
    return [this](http_response response, sent_callback sent) {
      ++(response.status == 201 ? created : response.status == 409 ? refused : others);
      if (sent)
        sent(true);
      if (left.fetch_sub(1) == 1)
        all.release();
    };
  }
};

} // namespace

TEST_CASE("the checkout handlers sell what there is, once, and every request's session closes clean on GCD") {
  constexpr int stock_at_first = 150, orders = 400;
  troupe::system sys{troupe::platform::make_gcd_dispatcher({.width = 4})};
  std::atomic<int> oversold = 0;
  auto home = sys.open_session({.name = "shop"});
  const auto stock =
      sys.caf().spawn<inventory>(stock_levels{{"book", stock_at_first}}, [&](const std::string&, int) { ++oversold; });
  REQUIRE_FALSE(home.own(stock, "inventory"));
  std::shared_ptr<order_store> store = make_memory_store();
  SUBCASE("the store in the background") {
    order_service service{sys, home, stock, store};
    answers got;
    got.left = orders;
    for (int i = 0; i < orders; ++i)
      service.handle({"POST", "/orders", R"({"sku":"book","quantity":1})"}, got.respond());
    REQUIRE_FALSE(sys.dispatcher().block_until(got.all, sys.dispatcher().now() + 30s));
    CHECK(got.created == stock_at_first);
    CHECK(got.refused == orders - stock_at_first);
    CHECK(got.others == 0);
    CHECK(sys.block_on(home.close()).has_value());
    CHECK(service.summary().sessions == orders);
    CHECK(service.summary().clean == orders);
    CHECK(service.summary().audits_lost == 0);
  }
  SUBCASE("the store on a lane of its own, and the shop closes while requests are under way") {
    order_service service{sys, home, stock, store, {.store_executor = &sys.make_dedicated("store")}};
    answers got;
    got.left = orders;
    for (int i = 0; i < orders; ++i)
      service.handle({"POST", "/orders", R"({"sku":"book","quantity":1})"}, got.respond());
    CHECK(sys.block_on(home.close()).has_value());
    REQUIRE_FALSE(sys.dispatcher().block_until(got.all, sys.dispatcher().now() + 30s));
    CHECK(got.created + got.refused + got.others == orders);
    CHECK(got.created <= stock_at_first);
    CHECK(service.summary().dirty == 0);
  }
  CHECK(oversold == 0);
  CHECK(sys.shutdown().is_clean());
}
