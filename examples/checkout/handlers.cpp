// The request handlers.
#include "examples/checkout/handlers.hpp"
#include "actors/ask.hpp"
#include "examples/checkout/order_json.hpp"
#include "examples/checkout/sent_signal.hpp"
#include <caf/send.hpp>
#include <mutex>

namespace checkout {

using namespace std::chrono_literals;
using troupe::async;
using troupe::platform::time_point;

namespace {

constexpr auto audit_patience = order_store::budget{2'000};
constexpr auto audit_retry_delay = 200ms;
constexpr int audit_attempts = 3;
constexpr std::size_t request_name_length = 64;

// A claim on the stock, which goes back unless it is sold: whatever becomes of the task that holds this.
class stock_claim {
public:
  stock_claim(caf::actor inventory, claim_id id) : inventory_(std::move(inventory)), id_(id) {}
  stock_claim(stock_claim&& other) noexcept : inventory_(std::exchange(other.inventory_, nullptr)), id_(other.id_) {}
  stock_claim& operator=(stock_claim&&) = delete;
  ~stock_claim() { end(false); }

  claim_id id() const noexcept { return id_; }
  void sell() { end(true); }
  void give_back() { end(false); }
  /// Nothing was taken, so nothing goes back.
  void forget() { inventory_ = nullptr; }

private:
  void end(bool is_sold) {
    if (const auto inventory = std::exchange(inventory_, nullptr))
      caf::anon_send(inventory, end_claim{id_, is_sold});
  }

  caf::actor inventory_;
  claim_id id_;
};

} // namespace

struct order_service::parts {
  troupe::system& system;
  troupe::session home;
  caf::actor inventory;
  std::shared_ptr<order_store> store;
  service_options options;
  std::mutex mutex;
  service_summary summary; // guarded by mutex

  troupe::spawn_options at_store(const char* name) const { return {.on = options.store_executor, .name = name}; }

  void add(const troupe::cleanup_report& report) {
    std::lock_guard guard{mutex};
    ++summary.sessions;
    summary.clean += report.outcome == troupe::close_outcome::clean;
    summary.dirty += report.outcome == troupe::close_outcome::dirty;
    summary.failed += report.outcome == troupe::close_outcome::failed;
    summary.deadlines += report.cause == troupe::close_cause::deadline_exceeded;
    summary.tasks += report.counters.spawned;
    summary.cancelled += report.counters.cancelled;
    if (!report.is_clean() && summary.first_unclean.empty())
      summary.first_unclean = report.to_text();
  }
  void add_lost_audit() {
    std::lock_guard guard{mutex};
    ++summary.audits_lost;
  }
};

// One request on its way: what its tasks share.
struct order_service::exchange {
  std::shared_ptr<parts> service;
  troupe::session scope;
  time_point deadline;

  troupe::platform::duration time_left() const { return deadline - service->system.dispatcher().now(); }
  order_store::budget patience() const { return std::chrono::duration_cast<order_store::budget>(time_left()); }

  // Takes stock for an order. @returns nothing, or the answer that refuses it.
  async<std::optional<http_response>> reserve(order_wish wish, stock_claim& claim) {
    // The messages have names because GCC 12 destroys an aggregate twice that is made inside of a co_await.
    caf::expected<reserve_result> result{caf::make_error(caf::sec::request_timeout)};
    if (service->options.protocol == reservation_protocol::try_reserve) {
      try_reserve request{wish.sku, wish.quantity, claim.id()};
      result = co_await troupe::ask<reserve_result>(service->inventory, time_left(), std::move(request));
    } else {
      result = co_await read_then_take(wish, claim.id());
    }
    if (!result)
      co_return error_answer(503, "the inventory did not answer");
    if (*result != reserve_result::reserved)
      claim.forget();
    if (*result == reserve_result::unknown_sku)
      co_return error_answer(404, "unknown sku");
    if (*result == reserve_result::out_of_stock)
      co_return error_answer(409, "out of stock");
    co_return std::nullopt;
  }

  // The planted bug: what was read may be old by the time it is acted upon.
  async<caf::expected<reserve_result>> read_then_take(order_wish wish, claim_id claim) {
    read_stock question{wish.sku};
    const auto stock = co_await troupe::ask<int>(service->inventory, time_left(), std::move(question));
    if (!stock)
      co_return stock.error();
    if (*stock < 0)
      co_return reserve_result::unknown_sku;
    if (*stock < wish.quantity)
      co_return reserve_result::out_of_stock;
    take_stock request{wish.sku, wish.quantity, claim};
    const auto taken = co_await troupe::ask<void>(service->inventory, time_left(), std::move(request));
    if (!taken)
      co_return taken.error();
    co_return reserve_result::reserved;
  }

  async<void> place_order(std::string body, reply_duty reply) {
    const auto parsed = parse_wish(body);
    if (const auto* complaint = std::get_if<std::string>(&parsed)) {
      reply.answer(error_answer(400, *complaint));
      co_return;
    }
    const auto wish = std::get<order_wish>(parsed);
    stock_claim claim{service->inventory, scope.id().number};
    auto refusal = co_await reserve(wish, claim);
    if (refusal) {
      reply.answer(std::move(*refusal));
      co_return;
    }
    // From here on the answer is up to the task that will know whether the order is stored. It is shielded: a deadline
    // that passes while SQLite commits must not make a stored order look refused.
    const auto options = service->at_store("store order");
    auto store = [self = *this, wish, reply = std::move(reply), claim = std::move(claim)]() mutable {
      self.store_order(wish, claim, reply);
    };
    auto stored = scope.wait_until(std::move(store), options);
  }

  void store_order(const order_wish& wish, stock_claim& claim, reply_duty& reply) {
    const auto stored = service->store->insert(wish.sku, wish.quantity, patience());
    if (stored.error) {
      claim.give_back(); // Before the answer: the client may try again at once.
      reply.answer(error_answer(503, stored.error.message()));
      return;
    }
    claim.sell();
    const auto sent = std::make_shared<sent_signal>();
    // Accepted even if the session is closing by now: it comes out of a task that the session waits for.
    auto audit = scope.wait_until([self = *this, sent, id = stored.id]() mutable { return self.audit(sent, id); },
                                  {.name = "audit"});
    reply.answer(order_answer(201, {stored.id, wish.sku, wish.quantity}), call_or_drop(sent));
  }

  // A callback that sets the signal, to false if it is dropped uncalled.
  static sent_callback call_or_drop(std::shared_ptr<sent_signal> sent) {
    const std::shared_ptr<void> last_resort{nullptr, [sent](void*) { sent->set(false); }};
    return [sent, last_resort](bool is_sent) { sent->set(is_sent); };
  }

  // After the answer has gone out, so that no client waits for it.
  async<void> audit(std::shared_ptr<sent_signal> sent, std::int64_t id) {
    const bool is_sent = co_await sent->wait();
    const std::string text = is_sent ? "placed, answered" : "placed, client gone";
    for (int attempt = 1; attempt <= audit_attempts; ++attempt) {
      if (attempt > 1)
        co_await troupe::sleep_for(audit_retry_delay);
      auto row =
          scope.wait_until([store = service->store, id, text] { return store->add_audit(id, text, audit_patience); },
                           service->at_store("audit row"));
      const std::error_code error = co_await row;
      if (!error)
        co_return;
    }
    service->add_lost_audit();
  }

  async<void> show_order(std::string target, reply_duty reply) {
    const auto id = parse_order_target(target);
    if (!id) {
      reply.answer(error_answer(404, "no such order"));
      co_return;
    }
    auto looked = scope.spawn([self = *this, id = *id] { return self.service->store->find(id, self.patience()); },
                              service->at_store("find order"));
    const find_result result = co_await looked;
    if (result.error)
      reply.answer(error_answer(503, result.error.message()));
    else if (!result.found)
      reply.answer(error_answer(404, "no such order"));
    else
      reply.answer(order_answer(200, *result.found));
  }

  async<void> handle(http_request request, reply_duty reply) {
    const auto path = request.target.substr(0, request.target.find('?'));
    const bool is_order = path.rfind("/orders/", 0) == 0;
    if (path == "/orders" && request.method == "POST")
      co_await place_order(std::move(request.body), std::move(reply));
    else if (is_order && request.method == "GET")
      co_await show_order(path, std::move(reply));
    else if (path == "/healthz" && request.method == "GET")
      reply.answer({200, R"({"status":"ok"})"});
    else if (path == "/orders" || path == "/healthz" || is_order)
      reply.answer(error_answer(405, "method not allowed"));
    else
      reply.answer(error_answer(404, "no such path"));
  }

  // The life of a request: its session is opened, its handler runs there, and its cleanup report is kept.
  static async<void> serve(std::shared_ptr<parts> service, time_point deadline, http_request request,
                           reply_duty reply) {
    troupe::session_options options;
    options.name = request.method + " " + request.target.substr(0, request_name_length);
    options.deadline = deadline - service->system.dispatcher().now();
    options.grace = service->options.grace;
    auto scope = service->home.open_session(options);
    if (scope.error())
      co_return; // Dropping the reply answers.
    exchange self{service, scope, deadline};
    auto handled =
        scope.spawn([self, request = std::move(request),
                     reply = std::move(reply)]() mutable { return self.handle(std::move(request), std::move(reply)); },
                    {.name = options.name});
    co_await handled.fallible();
    auto closed = scope.close();
    service->add(co_await closed);
  }
};

order_service::order_service(troupe::system& system, troupe::session home, caf::actor inventory,
                             std::shared_ptr<order_store> store, service_options options)
    : parts_(new parts{system, std::move(home), std::move(inventory), std::move(store), options, {}, {}}) {}

void order_service::handle(http_request request, respond_function respond) {
  reply_duty reply{std::move(respond), error_answer(503, "the request was given up")};
  const auto deadline = parts_->system.dispatcher().now() + parts_->options.request_deadline;
  auto served = parts_->home.spawn(
      [service = parts_, deadline, request = std::move(request), reply = std::move(reply)]() mutable {
        return exchange::serve(service, deadline, std::move(request), std::move(reply));
      },
      {.name = "request"});
  served.detach(); // The session owns it; a refused one has dropped its reply, which answers.
}

service_summary order_service::summary() const {
  std::lock_guard guard{parts_->mutex};
  return parts_->summary;
}

} // namespace checkout
