// The optimal search and mail that overtakes: by hand, and against every schedule of random programs.
#include "sim/explore.hpp"
#include "sim/random_source.hpp"
#include "sim/specification.hpp"
#include "sim/strategies.hpp"
#include "tests/sim/all_schedules.hpp"
#include <algorithm>
#include <caf/all.hpp>
#include <optional>

using namespace troupe;
using namespace troupe::testing;

namespace {

constexpr order_model all_models[] = {order_model::local, order_model::atomic, order_model::network,
                                      order_model::unordered};

/// Programs of a few actors that send each other numbers: who gets one sends what belongs to it. Nobody ends: what
/// comes to an actor that is gone counts as another outcome than what it has left.
struct program_script {
  struct effect {
    std::size_t to = 0;
    int message = 0;
    bool is_urgent = false;
    bool is_chosen = false; ///< Only if `choose` says so.
  };
  std::size_t actors = 0;
  bool is_picky = false; ///< The last actor sets aside what it gets before the first even number.
  std::vector<effect> first;
  std::vector<std::vector<effect>> of_message;

  explicit program_script(std::uint64_t seed) {
    random_source random(seed);
    actors = 2 + random.below(2);
    is_picky = random.below(4) == 0;
    const auto some_effect = [&](int message) {
      effect e;
      e.to = random.below(actors);
      e.message = message;
      e.is_urgent = random.below(3) == 0;
      e.is_chosen = random.below(12) == 0;
      return e;
    };
    int messages = 0;
    for (auto i = 1 + random.below(3); i > 0; --i)
      first.push_back(some_effect(messages++));
    const int last = 4 + static_cast<int>(random.below(3));
    for (int m = 0; m < messages; ++m) {
      auto& effects = of_message.emplace_back();
      for (auto i = random.below(3); i > 0 && messages < last; --i)
        effects.push_back(some_effect(messages++));
    }
  }
};

void send(caf::event_based_actor* self, const caf::actor& to, const program_script::effect& what) {
  if (what.is_chosen && !choose_bool())
    return;
  if (what.is_urgent)
    self->send<caf::message_priority::high>(to, what.message);
  else
    self->send(to, what.message);
}

struct numbers_state {
  bool is_open = true;
};

caf::behavior numbers(caf::stateful_actor<numbers_state>* self, const program_script* script,
                      const std::vector<caf::actor>* all, bool is_picky) {
  state_of(*self).is_open = !is_picky;
  return {[=](int message) -> caf::result<void> {
    state_of(*self).is_open |= message % 2 == 0;
    if (!state_of(*self).is_open)
      return caf::skip;
    for (auto& each : script->of_message[static_cast<std::size_t>(message)])
      send(self, (*all)[each.to], each);
    return caf::unit;
  }};
}

body run_of(const program_script& script) {
  return [&script](simulator& sim) {
    std::vector<caf::actor> all;
    for (std::size_t i = 0; i < script.actors; ++i)
      all.push_back(sim.caf().spawn(numbers, &script, &all, script.is_picky && i + 1 == script.actors));
    for (auto& each : script.first)
      sim.caf().spawn([&, each](caf::event_based_actor* self) { send(self, all[each.to], each); });
    sim.run_until_idle();
    for (auto& each : all)
      caf::anon_send_exit(each, caf::exit_reason::kill);
    sim.run_until_idle();
  };
}

/// Gets what `senders` send: each of them a row of numbers, the negative ones urgently.
auto received(std::vector<std::vector<int>> senders, bool asks = false) {
  return [=](simulator& sim) {
    std::string seen;
    auto receiver = sim.caf().spawn([&seen, asks](caf::event_based_actor*) -> caf::behavior {
      return {[&seen, asks](int value) {
        seen += std::to_string(value);
        if (asks)
          seen += choose_bool() ? "y" : "n";
      }};
    });
    for (auto& each : senders)
      sim.caf().spawn([=](caf::event_based_actor* self) {
        for (auto value : each)
          if (value < 0)
            self->send<caf::message_priority::high>(receiver, value);
          else
            self->send(receiver, value);
      });
    sim.run_until_idle();
    return seen;
  };
}

} // namespace

TEST_CASE("urgent mail is handled before what waits, or after it has been handled: dpor meets each order once") {
  struct {
    std::vector<std::vector<int>> senders;
    std::uint64_t outcomes;
  } const rows[] = {
      {{{1, -2}}, 2},              // 1 waits when 2 comes, or does not any more
      {{{1, 2, 3, -4}}, 4},        // 4 comes anywhere
      {{{1}, {2}, {3}, {-4}}, 24}, // any order
      {{{1, 2}, {-3}, {-4}}, 12},  // 1 before 2
      {{{1, -2, 3}, {-4}}, 8},     // 1 and 2 before 3
  };
  for (auto& row : rows)
    for (auto model : {order_model::local, order_model::network}) {
      const auto which = &row - rows;
      INFO(which, ", ", to_string(model));
      const auto program = received(row.senders);
      CHECK(texts(program, {.model = model}).size() == row.outcomes);
      const auto once = all_within<dpor_search>(program, {.model = model}, 1'000);
      REQUIRE(once);
      CHECK(once->outcomes.size() == row.outcomes);
      CHECK(once->schedules == row.outcomes);
      CHECK(once->blocked == 0);
      CHECK_FALSE(once->proves_nothing);
    }
}

TEST_CASE("a program with urgent mail is proven by dpor as by dfs") {
  const auto program = received({{1, -2}});
  const auto run = make_runner([&](simulator& sim) { program(sim); }, {});
  for (auto* spec : {"dfs", "dpor"})
    CHECK(explore(run, make_strategies(spec, run), {.seeds = 1'000}).is_proven);
}

TEST_CASE("mail that another one sends because of what waits overtakes it, too") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto receiver = sim.caf().spawn(note, &seen);
    auto detour = sim.caf().spawn([=](caf::event_based_actor* self) -> caf::behavior {
      return {[=](int value) { self->send<caf::message_priority::high>(receiver, value); }};
    });
    sim.caf().spawn([=](caf::event_based_actor* self) {
      self->send(receiver, 1);
      self->send(detour, 2);
    });
    sim.run_until_idle();
    return seen;
  };
  for (auto model : all_models)
    CHECK(texts(program, {.model = model}) == std::set<std::string>{"12", "21"});
}

TEST_CASE("what is overtaken is given each value, whatever was asked by what has overtaken it") {
  for (auto model : all_models) {
    INFO(to_string(model));
    const auto program = received({{1}, {2, -3}}, true);
    CHECK(texts(program, {.model = model}) == texts<dfs_search>(program, {.model = model}));
  }
}

TEST_CASE("dpor meets what dfs meets, each once, in random programs with urgent mail" * doctest::test_suite("slow")) {
  std::uint64_t compared = 0, overtaken = 0;
  for (std::uint64_t seed = 0; seed < 130; ++seed)
    for (auto model : all_models) {
      INFO("seed ", seed, ", ", to_string(model));
      const program_script script(seed);
      const auto every = all_within<dfs_search>(run_of(script), {.model = model}, 1'000);
      if (!every)
        continue;
      const auto once = all_within<dpor_search>(run_of(script), {.model = model}, 2'000);
      REQUIRE(once);
      CHECK(once->outcomes == every->outcomes);
      CHECK(once->schedules == once->outcomes.size());
      CHECK(once->blocked == 0);
      CHECK_FALSE(once->proves_nothing);
      ++compared;
      overtaken += once->outcomes.size() > 2;
    }
  CHECK(compared > 80);
  CHECK(overtaken > 20);
}

TEST_CASE("each order model has the outcomes of the narrower ones, in random programs") {
  std::uint64_t compared = 0, differ = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const program_script script(seed);
    std::optional<met> narrower;
    for (auto model : {order_model::atomic, order_model::local, order_model::network, order_model::unordered}) {
      INFO("seed ", seed, ", ", to_string(model));
      auto found = all_within<dpor_search>(run_of(script), {.model = model}, 3'000);
      if (!found)
        break;
      if (narrower) {
        CHECK(std::includes(found->outcomes.begin(), found->outcomes.end(), narrower->outcomes.begin(),
                            narrower->outcomes.end()));
        ++compared;
        differ += found->outcomes.size() > narrower->outcomes.size();
      }
      narrower = std::move(found);
    }
  }
  CHECK(compared > 100);
  CHECK(differ > 10);
}
