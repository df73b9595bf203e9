// What docs/caf-versions.md shows: messages of one's own in one source for CAF 0.17 and CAF 1.
#include "sim/doctest.hpp"
#include "troupe.hpp"
#include <caf/all.hpp>

using namespace std::chrono_literals;

namespace shop {

enum class answer : std::int32_t { sold, too_few };
TROUPE_ENUM(answer);

TROUPE_ATOM(count, "count");

struct order {
  std::string book;
  int copies = 1;
};

template <class Inspector>
auto inspect(Inspector& f, order& x) {
  return troupe::inspect_fields(f, x, "order", troupe::message_field{"book", x.book},
                                troupe::message_field{"copies", x.copies});
}

} // namespace shop

TROUPE_BEGIN_MESSAGES(shop, caf::first_custom_type_id);
TROUPE_MESSAGE(shop, (shop::answer));
TROUPE_MESSAGE(shop, (shop::count));
TROUPE_MESSAGE(shop, (shop::order));
TROUPE_END_MESSAGES(shop);

namespace {

struct shelf_state {
  static inline const char* name = "shelf";
  int left = 0;
};

caf::behavior shelf(caf::stateful_actor<shelf_state>* self, int left) {
  troupe::state_of(*self).left = left;
  return {
      [self](shop::count) { return troupe::state_of(*self).left; },
      [self](const shop::order& wish) {
        auto& state = troupe::state_of(*self);
        if (state.left < wish.copies)
          return shop::answer::too_few;
        state.left -= wish.copies;
        return shop::answer::sold;
      },
  };
}

void buy(troupe::simulator& sim) {
  auto books = sim.caf().spawn(shelf, 3);
  troupe::post(books, shop::order{"Emma", 1});
  sim.run_until_idle();
  auto buyer = sim.root().spawn([books]() -> troupe::async<void> {
    shop::order wish{"Persuasion", 2};
    auto bought = co_await troupe::ask<shop::answer>(books, 1s, wish);
    auto again = co_await troupe::ask<shop::answer>(books, 1s, wish);
    auto left = co_await troupe::ask<int>(books, 1s, shop::count{});
    CHECK((bought && *bought == shop::answer::sold));
    CHECK((again && *again == shop::answer::too_few));
    CHECK((left && *left == 0));
  });
  CHECK(sim.block_on(std::move(buyer)).has_value());
}

} // namespace

TEST_CASE("messages of one's own are sent, answered and printed alike with every CAF") {
  const auto result = troupe::simulator::once(0, buy, {.trace = true});
  INFO(result.message);
  CHECK(!result.is_failure());
  std::string printed;
  for (const auto& entry : result.trace)
    if (entry.kind == troupe::event_kind::handle && entry.to.starts_with("shelf"))
      printed += entry.what + " ";
  CHECK(printed == "(order(\"Emma\", 1)) (order(\"Persuasion\", 2)) (order(\"Persuasion\", 2)) ('count') ");
}
