// Two clients want the last book.
#include "examples/checkout/scenarios.hpp"
#include "examples/checkout/handlers.hpp"
#include "sim/simulator.hpp"
#include <vector>

namespace checkout {
namespace {

// Events that happen before the second client comes. The first one's take is still some way off then.
constexpr int head_start = 4;

// The status of each client's answer; 0 until it has come.
using answers = std::vector<unsigned>;

void order_last_book(order_service& service, const std::shared_ptr<answers>& got, std::size_t client) {
  service.handle({"POST", "/orders", R"({"sku":"book","quantity":1})"},
                 [got, client](http_response response, sent_callback sent) {
                   got->at(client) = response.status;
                   if (sent)
                     sent(true);
                 });
}

void compete_for_the_last_book(troupe::simulator& sim, reservation_protocol protocol) {
  const auto stock = sim.caf().spawn<inventory>(stock_levels{{"book", 1}}, [&sim](const std::string& sku, int left) {
    sim.fail("oversold: the stock of '" + sku + "' is " + std::to_string(left));
  });
  const std::shared_ptr<order_store> store = make_memory_store();
  auto shop = sim.root().open_session({.name = "shop"});
  (void)shop.own(stock, "inventory");
  order_service service{sim.sys(), shop, stock, store, {.protocol = protocol}};

  // Kept alive by whoever may still answer, should the run end early.
  const auto got = std::make_shared<answers>(2);
  order_last_book(service, got, 0);
  // The second client comes while the first is served: late enough to do no harm in the default order of events.
  for (int event = 0; event < head_start; ++event)
    sim.step();
  order_last_book(service, got, 1);
  sim.run_until([&] { return service.summary().sessions == 2; });

  sim.check(*got == answers{201, 409} || *got == answers{409, 201},
            "one client gets the book and one does not, but they were answered " + std::to_string(got->at(0)) +
                " and " + std::to_string(got->at(1)));
  sim.check(store->find(1, order_store::budget{1}).found.has_value(), "the acknowledged order is not stored");
  sim.check(!store->find(2, order_store::budget{1}).found.has_value(), "an order is stored that was refused");
}

} // namespace

void add_scenarios(troupe::scenario_set& scenarios) {
  scenarios.add({"checkout-buggy", "two clients want the last book; stock is read and taken in two messages",
                 [](troupe::simulator& sim) { compete_for_the_last_book(sim, reservation_protocol::read_then_take); }});
  scenarios.add({"checkout-fixed", "two clients want the last book; stock is reserved by one message",
                 [](troupe::simulator& sim) { compete_for_the_last_book(sim, reservation_protocol::try_reserve); }});
}

} // namespace checkout
