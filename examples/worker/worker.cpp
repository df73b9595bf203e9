// The checkout handlers as a module for a Cloudflare-style worker: one system per request.
#include "examples/checkout/handlers.hpp"
#include "examples/checkout/sent_signal.hpp"
#include "js/module.hpp"
#include <nlohmann/json.hpp>
#include <stdexcept>

using nlohmann::json;
using troupe::async;

namespace {

// Orders live as long as the isolate does: nothing in here belongs to the request that made it.
const std::shared_ptr<checkout::order_store>& orders() {
  static const std::shared_ptr<checkout::order_store> all = checkout::make_memory_store();
  return all;
}

// What each system has: the shop as it stands when the request comes.
struct shop {
  troupe::session home;
  std::unique_ptr<checkout::order_service> service;
};

std::shared_ptr<void> open_shop(troupe::system& system, const std::string& config) {
  auto opened = std::make_shared<shop>();
  opened->home = system.open_session({.name = "shop"});
  const auto stock = system.caf().spawn<checkout::inventory>(
      json::parse(config).at("stock").get<checkout::stock_levels>(), [](const std::string&, int) {});
  if (const auto refused = opened->home.own(stock, "inventory"))
    throw std::system_error{refused, "no inventory"};
  opened->service = std::make_unique<checkout::order_service>(system, opened->home, stock, orders());
  return opened;
}

struct answer {
  checkout::http_response response;
  checkout::sent_signal has_come;
};

// {method, target, body} -> {status, body}
async<std::string> handle(troupe::js::invocation in) {
  const auto request = json::parse(in.arguments);
  const auto got = std::make_shared<answer>();
  in.of<shop>().service->handle({request.at("method"), request.at("target"), request.at("body")},
                                [got](checkout::http_response response, checkout::sent_callback sent) {
                                  got->response = std::move(response);
                                  got->has_come.set(true);
                                  if (sent)
                                    sent(true);
                                });
  co_await got->has_come.wait();
  co_return json{{"status", got->response.status}, {"body", got->response.body}}.dump();
}

const troupe::js::application application{open_shop};
const troupe::js::named_task handle_task{"handle", handle};

} // namespace
