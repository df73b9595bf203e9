// A tape that outlives edits of its program.
#include "sim/edited_replay.hpp"
#include "sim/random_strategy.hpp"
#include "sim/shrink.hpp"
#include "sim/tape_strategy.hpp"
#include "tests/sim/programs/oversell.hpp"
#include <doctest/doctest.h>

using namespace troupe;
using troupe::testing::read_atom;
using troupe::testing::reserve_atom;

namespace {

/// Where the edit puts its actors.
enum class edit { none, first, between, in_a_handler, more_work, other };

void spawn_strangers(caf::actor_system& host) {
  auto echo = host.spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self](int left, const caf::actor& other) {
      if (left > 0)
        self->send(other, left - 1, caf::actor(self));
    }};
  });
  auto other = host.spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self](int left, const caf::actor& back) {
      if (left > 0)
        self->send(back, left - 1, caf::actor(self));
    }};
  });
  caf::anon_send(echo, 6, other);
}

/// A shop with a stock of one, whose buyers read and then reserve. One of them warms up before.
void sell(simulator& sim, edit how) {
  auto strangers_at = [&](edit place) {
    if (how == place)
      spawn_strangers(sim.caf());
  };
  strangers_at(edit::first);
  auto stock = sim.caf().spawn([&sim, how](caf::event_based_actor* self) -> caf::behavior {
    auto left = std::make_shared<int>(1);
    auto strangers = std::make_shared<bool>(how == edit::in_a_handler);
    return {
        [=](read_atom) {
          if (std::exchange(*strangers, false))
            spawn_strangers(self->home_system());
          return *left;
        },
        [left, &sim, how](reserve_atom) {
          if (--*left < 0 && how != edit::other)
            sim.fail("oversold by " + std::to_string(-*left));
        },
    };
  });
  strangers_at(edit::between);
  for (int warm_up : {0, 3, 3})
    sim.caf().spawn([stock, warm_up](caf::event_based_actor* self) -> caf::behavior {
      self->send(self, warm_up);
      return {[self, stock](int left) {
        if (left > 0)
          return self->send(self, left - 1);
        self->request(stock, caf::infinite, read_atom{}).then([self, stock](int seen) {
          if (seen > 0)
            self->send(stock, reserve_atom{});
        });
      }};
    });
  if (how == edit::more_work)
    caf::anon_send(stock, 5); // nobody understands it
  sim.run_until_idle();
}

runner program(edit how, order_model model = order_model::local) {
  return make_runner([how](simulator& sim) { sell(sim, how); }, {.model = model});
}

/// A tape of a schedule that fails, and that the default order does not lead to.
tape failing_tape(order_model model, std::uint64_t from) {
  const auto run = program(edit::none, model);
  for (auto seed = from;; ++seed) {
    random_strategy order(seed);
    auto recorded = run_recorded(run, seed, order, true);
    if (!recorded.result.is_failure())
      continue;
    simulation_options options{.seed = seed, .model = model};
    return make_tape("test", "sell", "random", options, recorded.result, std::move(recorded.record));
  }
}

} // namespace

TEST_CASE("a tape leads to the same failure although the program has more actors now") {
  for (auto model : {order_model::local, order_model::atomic})
    for (std::uint64_t from : {0, 100, 200, 300, 400})
      for (auto how : {edit::first, edit::between, edit::in_a_handler}) {
        INFO(to_string(model), " from ", from, ", edit ", static_cast<int>(how));
        const auto recorded = failing_tape(model, from);
        const auto run = program(how, model);
        tape_strategy exact(recorded.decisions, model);
        const auto edited = replay_edited(run, recorded, run_recorded(run, recorded.options.seed, exact, true));
        CHECK(edited.is_same_failure);
        CHECK(edited.run.result.message == recorded.message);
        CHECK(edited.missing == 0);
        CHECK(edited.known == recorded.order.events.size());
        if (edited.unknown > 0)
          CHECK(edited.participants.size() <= 2);
      }
}

TEST_CASE("without following the order of all events that is not so") {
  // What the tests above are good for: by the decisions alone a tape is lost.
  std::size_t lost = 0;
  for (std::uint64_t from : {0, 100, 200, 300, 400}) {
    const auto recorded = failing_tape(order_model::local, from);
    tape_strategy exact(recorded.decisions);
    const auto result = program(edit::first)(recorded.options.seed, exact, false);
    lost += result.is_failure() && exact.divergences() == 0 ? 0 : 1;
  }
  CHECK(lost == 5);
}

TEST_CASE("an edit that takes the failure away is told from one that does not") {
  const auto recorded = failing_tape(order_model::local, 0);
  const auto run = program(edit::other);
  tape_strategy exact(recorded.decisions);
  const auto edited = replay_edited(run, recorded, run_recorded(run, recorded.options.seed, exact, true));
  CHECK_FALSE(edited.is_same_failure);
  CHECK(edited.run.result.end == verdict::ok);
}

TEST_CASE("the order of events survives the text of a tape") {
  const auto before = failing_tape(order_model::local, 0);
  tape_error error;
  const auto text = to_text(before);
  const auto after = parse_tape(text, "x.tape", error);
  REQUIRE_MESSAGE(after.has_value(), error.message);
  CHECK(after->message == before.message);
  REQUIRE(after->order.events.size() == before.order.events.size());
  CHECK(after->order.values.size() == before.order.values.size());
  for (std::size_t i = 0; i < before.order.events.size(); ++i) {
    const auto &a = after->order.events[i].what, &b = before.order.events[i].what;
    CHECK(std::tuple(a.identity, a.kind, a.place, a.actor, a.parent, a.content) ==
          std::tuple(b.identity, b.kind, b.place, b.actor, b.parent, b.content));
  }
  // Cut off anywhere or damaged, it is refused as such.
  for (std::size_t size = text.size() - 400; size < text.size(); size += 7)
    CHECK_FALSE(parse_tape(text.substr(0, size), "x.tape", error).has_value());
  auto damaged = text;
  damaged[damaged.find("\nevents ") + 40] ^= 1;
  CHECK_FALSE(parse_tape(damaged, "x.tape", error).has_value());
  CHECK(error.code == tape_errc::corrupted);
}
