// What the handlers promise, whatever the order of events: in the simulator, with stores and inventories that fail.
#include "actors/ask.hpp"
#include "examples/checkout/handlers.hpp"
#include "sim/simulator.hpp"
#include <caf/event_based_actor.hpp>
#include <doctest/doctest.h>
#include <vector>

using namespace checkout;
using namespace std::chrono_literals;
using troupe::simulator;

namespace {

// A store that refuses when told so, and remembers what it was asked to audit.
class moody_store final : public order_store {
public:
  insert_result insert(const std::string& sku, int quantity, budget patience) override {
    patience_of_insert = patience;
    if (inserts_to_refuse > 0 && inserts_to_refuse-- > 0)
      return {store_errc::unavailable, 0};
    ++stored;
    return memory_->insert(sku, quantity, patience);
  }
  find_result find(std::int64_t id, budget patience) override {
    return finds_fail ? find_result{store_errc::busy, {}} : memory_->find(id, patience);
  }
  std::error_code add_audit(std::int64_t id, const std::string& text, budget) override {
    if (audits_to_refuse > 0 && audits_to_refuse-- > 0)
      return store_errc::busy;
    audit.emplace_back(id, text);
    return {};
  }

  int inserts_to_refuse = 0;
  int audits_to_refuse = 0;
  bool finds_fail = false;
  int stored = 0;
  budget patience_of_insert{};
  std::vector<std::pair<std::int64_t, std::string>> audit;

private:
  std::unique_ptr<order_store> memory_ = make_memory_store();
};

// A client's view of its request.
struct exchange {
  http_response response;
  int answers = 0;
  sent_callback sent;
  unsigned status() const { return answers == 1 ? response.status : 0; }
};

// A shop inside of a simulator.
struct sim_shop {
  explicit sim_shop(simulator& run, stock_levels levels = {{"book", 1}}, service_options options = {})
      : sim(run), stock(run.caf().spawn<inventory>(
                      std::move(levels), [&run](const std::string& sku, int) { run.fail("oversold " + sku); })),
        home(run.root().open_session({.name = "shop"})), service(run.sys(), home, stock, store, options) {
    (void)home.own(stock, "inventory");
  }

  // The client's connection is quick unless the test keeps `sent` to itself.
  std::shared_ptr<exchange> send(http_request request, bool is_slow_reader = false) {
    auto made = std::make_shared<exchange>();
    service.handle(std::move(request), [made, is_slow_reader](http_response response, sent_callback sent) {
      made->response = std::move(response);
      ++made->answers;
      if (is_slow_reader)
        made->sent = std::move(sent);
      else if (sent)
        sent(true);
    });
    return made;
  }
  std::shared_ptr<exchange> order(const std::string& sku = "book", int quantity = 1) {
    return send({"POST", "/orders", R"({"sku":")" + sku + R"(","quantity":)" + std::to_string(quantity) + "}"});
  }
  void finish(std::uint64_t sessions) {
    sim.check(sim.run_until([&] { return service.summary().sessions >= sessions; }), "requests do not end");
    sim.run_until_idle(); // What they have sent to the inventory at the end arrives.
  }
  int stock_of(const std::string& sku) {
    auto asked = sim.root().spawn([this, sku]() -> troupe::async<int> {
      read_stock question{sku}; // GCC 12 destroys an aggregate twice that is made inside of a co_await.
      const auto level = co_await troupe::ask<int>(stock, 1h, std::move(question));
      co_return level ? *level : -2;
    });
    return *sim.block_on(std::move(asked));
  }

  simulator& sim;
  std::shared_ptr<moody_store> store = std::make_shared<moody_store>();
  caf::actor stock;
  troupe::session home;
  order_service service;
};

void check_ok(const troupe::run_result& result) {
  INFO(result.message);
  CHECK(result.end == troupe::verdict::ok);
}

unsigned status_of(http_request request, stock_levels levels = {{"book", 1}}) {
  unsigned status = 0;
  check_ok(simulator::once(0, [&](simulator& sim) {
    sim_shop shop{sim, levels};
    const auto got = shop.send(request);
    shop.finish(1);
    status = got->status();
  }));
  return status;
}

} // namespace

TEST_CASE("an order is stored, answered with its id, and can be looked up") {
  check_ok(simulator::many(50, [](simulator& sim) {
    sim_shop shop{sim};
    const auto got = shop.order();
    shop.finish(1);
    CHECK(got->status() == 201);
    CHECK(got->response.body == R"({"id":1,"quantity":1,"sku":"book"})");
    CHECK(shop.store->patience_of_insert <= 10s);
    CHECK(shop.store->patience_of_insert > 9s);
    const auto found = shop.send({"GET", "/orders/1?verbose=1", ""});
    shop.finish(2);
    CHECK(found->status() == 200);
    CHECK(found->response.body == got->response.body);
    CHECK(shop.service.summary().clean == 2);
  }));
}

TEST_CASE("requests that make no sense are refused with the right status") {
  CHECK(status_of({"POST", "/orders", "no json"}) == 400);
  CHECK(status_of({"POST", "/orders", R"({"sku":"unicorn","quantity":1})"}) == 404);
  CHECK(status_of({"POST", "/orders", R"({"sku":"book","quantity":2})"}) == 409);
  CHECK(status_of({"GET", "/orders/1", ""}) == 404);
  CHECK(status_of({"GET", "/orders/one", ""}) == 404);
  CHECK(status_of({"GET", "/healthz", ""}) == 200);
  CHECK(status_of({"POST", "/healthz", ""}) == 405);
  CHECK(status_of({"GET", "/orders", ""}) == 405);
  CHECK(status_of({"DELETE", "/orders/1", ""}) == 405);
  CHECK(status_of({"GET", "/", ""}) == 404);
  CHECK(status_of({"GET", "", ""}) == 404);
}

TEST_CASE("the audit row is written after the answer has gone out, and says whether it did") {
  for (const bool is_sent : {true, false})
    check_ok(simulator::many(50, [is_sent](simulator& sim) {
      sim_shop shop{sim};
      const auto got = shop.send({"POST", "/orders", R"({"sku":"book","quantity":1})"}, true);
      sim.run_until_idle();
      CHECK(got->status() == 201);
      CHECK(shop.store->audit.empty());
      CHECK(shop.service.summary().sessions == 0);
      got->sent(is_sent);
      shop.finish(1);
      REQUIRE(shop.store->audit.size() == 1);
      CHECK(shop.store->audit[0].first == 1);
      CHECK(shop.store->audit[0].second == (is_sent ? "placed, answered" : "placed, client gone"));
    }));
}

TEST_CASE("a transport that forgets to say that the answer has gone out holds nothing up") {
  check_ok(simulator::once(0, [](simulator& sim) {
    sim_shop shop{sim};
    const auto got = shop.send({"POST", "/orders", R"({"sku":"book","quantity":1})"}, true);
    sim.run_until_idle();
    CHECK(got->status() == 201);
    CHECK(shop.store->audit.empty());
    got->sent = nullptr;
    shop.finish(1);
    CHECK(shop.store->audit.size() == 1);
  }));
}

TEST_CASE("a slow reader's order is audited even when its deadline has passed meanwhile") {
  check_ok(simulator::once(0, [](simulator& sim) {
    sim_shop shop{sim, {{"book", 1}}, {.request_deadline = 10s, .grace = 30s}};
    const auto got = shop.send({"POST", "/orders", R"({"sku":"book","quantity":1})"}, true);
    sim.run_for(15s);
    CHECK(got->status() == 201);
    CHECK(shop.store->audit.empty());
    got->sent(true);
    shop.finish(1);
    CHECK(shop.store->audit.size() == 1);
  }));
}

TEST_CASE("an order that cannot be stored is not acknowledged, and its stock goes back") {
  check_ok(simulator::many(100, [](simulator& sim) {
    sim_shop shop{sim};
    shop.store->inserts_to_refuse = 1;
    const auto refused = shop.order();
    shop.finish(1);
    CHECK(refused->status() == 503);
    CHECK(shop.store->audit.empty());
    CHECK(shop.stock_of("book") == 1);
    const auto accepted = shop.order();
    shop.finish(2);
    CHECK(accepted->status() == 201);
    CHECK(shop.stock_of("book") == 0);
  }));
}

TEST_CASE("an order that cannot be looked up is not reported missing") {
  check_ok(simulator::once(0, [](simulator& sim) {
    sim_shop shop{sim};
    shop.store->finds_fail = true;
    const auto got = shop.send({"GET", "/orders/1", ""});
    shop.finish(1);
    CHECK(got->status() == 503);
  }));
}

TEST_CASE("an audit row is tried three times, and counted if it is lost") {
  for (const int refusals : {2, 3})
    check_ok(simulator::once(0, [refusals](simulator& sim) {
      sim_shop shop{sim};
      shop.store->audits_to_refuse = refusals;
      const auto got = shop.order();
      shop.finish(1);
      CHECK(got->status() == 201);
      CHECK(shop.store->audit.size() == (refusals < 3 ? 1 : 0));
      CHECK(shop.service.summary().audits_lost == (refusals < 3 ? 0 : 1));
    }));
}

TEST_CASE("a request whose inventory never answers is given up at its deadline, and its claim is taken back") {
  // The wait for the answer and the session end at the same time: whichever comes first, the client is told.
  std::uint64_t runs = 0;
  std::uint64_t deadlines = 0;
  check_ok(simulator::many(50, [&](simulator& sim) {
    int claims_back = 0;
    const auto silent = sim.caf().spawn([&claims_back](caf::event_based_actor* self) -> caf::behavior {
      auto kept = std::make_shared<std::vector<caf::response_promise>>(); // CAF 1 breaks those that are dropped
      return {
          [self, kept](const try_reserve&) { kept->push_back(self->make_response_promise()); },
          [&claims_back](const end_claim& end) { claims_back += !end.is_sold; },
      };
    });
    const auto home = sim.root().open_session({.name = "shop"});
    REQUIRE_FALSE(home.own(silent, "silent"));
    order_service service{sim.sys(), home, silent, make_memory_store(), {.request_deadline = 5s}};
    unsigned status = 0;
    service.handle({"POST", "/orders", R"({"sku":"book","quantity":1})"},
                   [&status](http_response response, sent_callback) { status = response.status; });
    sim.run_for(4s);
    CHECK(status == 0);
    sim.run_for(2s);
    CHECK(status == 503);
    CHECK(service.summary().sessions == 1);
    CHECK(claims_back == 1);
    ++runs;
    deadlines += service.summary().deadlines;
  }));
  CHECK(deadlines > 0);
  CHECK(deadlines < runs);
}

TEST_CASE("a request to a shop that is closing is answered 503") {
  check_ok(simulator::many(50, [](simulator& sim) {
    sim_shop shop{sim};
    const auto early = shop.order();
    auto closed = shop.home.close();
    const auto late = shop.order();
    const auto report = sim.block_on(std::move(closed));
    CHECK(report->is_clean());
    CHECK(late->status() == 503);
    CHECK(late->answers == 1);
    // The early one was accepted; it may or may not have had its session by then, but it has its answer.
    const bool is_stored = shop.store->stored == 1;
    CHECK(early->status() == (is_stored ? 201 : 503));
    CHECK(shop.store->audit.size() == (is_stored ? 1 : 0));
  }));
}

TEST_CASE("whatever the order of events, what left the shelf is what was stored, and what was stored is acknowledged") {
  check_ok(simulator::many(300, [](simulator& sim) {
    sim_shop shop{sim, {{"book", 3}, {"lamp", 1}}};
    shop.store->inserts_to_refuse = static_cast<int>(sim.rng()() % 3);
    std::vector<std::shared_ptr<exchange>> books, lamps;
    for (int client = 0; client < 3; ++client) {
      books.push_back(shop.order("book", 2));
      books.push_back(shop.order("book", 1));
      lamps.push_back(shop.order("lamp", 1));
    }
    shop.finish(9);
    int pieces = 0;
    int accepted = 0;
    for (std::size_t i = 0; i < books.size(); ++i) {
      accepted += books[i]->status() == 201;
      pieces += books[i]->status() == 201 ? (i % 2 == 0 ? 2 : 1) : 0;
    }
    for (const auto& lamp : lamps)
      accepted += lamp->status() == 201;
    CHECK(shop.stock_of("book") == 3 - pieces);
    CHECK(shop.store->stored == accepted);
    CHECK(shop.store->audit.size() == static_cast<std::size_t>(accepted));
    CHECK(shop.service.summary().clean == 9);
  }));
}
