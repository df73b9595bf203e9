// Puts the shop together, and takes it apart in the right order.
#include "examples/checkout/shop.hpp"
#include "examples/checkout/termination.hpp"
#include "platform/asio_dispatcher.hpp"
#include <atomic>

namespace checkout {

using troupe::platform::latch;

namespace {
// What remains to be done once the HTTP side is drained is bounded by the sessions' own budgets.
constexpr std::chrono::seconds shutdown_budget{60};
} // namespace

struct shop::parts {
  explicit parts(const shop_options& chosen) : options(chosen) {}

  shop_options options;
  // Asio's and no other: the HTTP server shares its threads.
  std::unique_ptr<troupe::platform::dispatcher> dispatcher = troupe::platform::make_asio_dispatcher();
  troupe::system system{*dispatcher};
  std::atomic<std::uint64_t> oversold = 0;
  troupe::dedicated_executor* store_thread = nullptr; // One connection, one thread: SQLite blocks nobody else.
  std::shared_ptr<order_store> store;
  troupe::session home;
  std::unique_ptr<order_service> service;
  std::unique_ptr<http_server> server;
  latch signalled;
  std::unique_ptr<termination> signals;
};

shop::shop(std::unique_ptr<parts> all) : parts_(std::move(all)) {}
shop::~shop() = default;

std::unique_ptr<shop> shop::open(const shop_options& options, std::string& why) {
  std::shared_ptr<order_store> store = open_sqlite_store(options.database, why);
  if (!store) {
    why = "cannot open " + options.database.path + ": " + why;
    return nullptr;
  }
  auto all = std::make_unique<parts>(options);
  auto& system = all->system;
  all->store = std::move(store);
  all->store_thread = &system.make_dedicated("store");
  all->home = system.open_session({.name = "shop"});
  const auto stock = system.caf().spawn<inventory>(
      options.stock, [count = &all->oversold](const std::string&, int) { count->fetch_add(1); });
  if (all->home.own(stock, "inventory")) {
    why = "cannot start the inventory";
    return nullptr;
  }
  service_options handling;
  handling.protocol = options.protocol;
  handling.request_deadline = options.request_deadline;
  handling.store_executor = all->store_thread;
  all->service = std::make_unique<order_service>(system, all->home, stock, all->store, handling);
  all->server =
      std::make_unique<http_server>(system.dispatcher(), options.http,
                                    [service = all->service.get()](http_request request, respond_function respond) {
                                      service->handle(std::move(request), std::move(respond));
                                    });
  // Before the port is known to anybody: a signal that comes at once is heard.
  all->signals = std::make_unique<termination>(system.dispatcher(), [heard = &all->signalled] { heard->release(); });
  if (const auto error = all->server->listen()) {
    why = "cannot listen on " + options.http.address + ":" + std::to_string(options.http.port) + ": " + error.message();
    return nullptr;
  }
  return std::unique_ptr<shop>{new shop{std::move(all)}};
}

std::uint16_t shop::port() const noexcept { return parts_->server->port(); }

void shop::wait_for_signal() { (void)parts_->system.dispatcher().block_until(parts_->signalled, std::nullopt); }

shop_summary shop::close() {
  auto& all = *parts_;
  latch drained;
  all.server->drain(all.options.drain_patience, [&drained] { drained.release(); });
  (void)all.system.dispatcher().block_until(drained, std::nullopt);
  // The requests are answered; what they have left to do after that, such as audit rows, ends here.
  (void)all.system.block_on(all.home.close());
  shop_summary summary;
  summary.root = all.system.shutdown(shutdown_budget);
  summary.http = all.server->totals();
  summary.requests = all.service->summary();
  summary.oversold = all.oversold;
  return summary;
}

bool shop_summary::is_clean() const {
  return http.dropped == 0 && http.requests == http.answers + http.unsent && requests.dirty == 0 &&
         requests.failed == 0 && requests.audits_lost == 0 && root.is_clean() && oversold == 0;
}

std::string shop_summary::to_text() const {
  const auto n = [](std::uint64_t count) { return std::to_string(count); };
  std::string text;
  text += "http: " + n(http.connections) + " connections, " + n(http.requests) + " requests, " + n(http.answers) +
          " answered, " + n(http.unsent) + " whose client had gone, " + n(http.refused) + " refused unread, " +
          n(http.cut_off) + " cut off, " + n(http.dropped) + " dropped\n";
  text += "request sessions: " + n(requests.sessions) + " closed, " + n(requests.clean) + " clean, " +
          n(requests.dirty) + " dirty, " + n(requests.failed) + " failed, " + n(requests.deadlines) +
          " past their deadline; " + n(requests.tasks) + " tasks, " + n(requests.cancelled) + " cancelled\n";
  if (requests.audits_lost > 0)
    text += "audit rows lost: " + n(requests.audits_lost) + "\n";
  if (oversold > 0)
    text += "oversold: " + n(oversold) + " times\n";
  if (!requests.first_unclean.empty())
    text += "the first request session that was not clean:\n" + requests.first_unclean;
  return text + root.to_text();
}

} // namespace checkout
