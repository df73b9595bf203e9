// Histories: recorded, and compared with what one operation at a time could have answered.
#include "sim/explore.hpp"
#include "sim/linearizability.hpp"
#include "sim/random_source.hpp"
#include "sim/simulator.hpp"
#include "sim/strategies.hpp"
#include <caf/all.hpp>
#include <chrono>
#include <deque>
#include <doctest/doctest.h>
#include <map>
#include <numeric>

using namespace troupe;

namespace {

/// A request to any of the models: they read of it what they need.
struct request {
  bool is_write = false;
  int value = 0;
  int key = 0;
};
using op = operation<request, int>;

struct register_model {
  int initial() const { return 0; }
  int apply(int& state, const request& input) const {
    if (input.is_write)
      state = input.value;
    return input.is_write ? 0 : state;
  }
  std::string text(const request& input) const {
    return input.is_write ? "write " + std::to_string(input.value) : "read";
  }
};

struct queue_model {
  std::deque<int> initial() const { return {}; }
  int apply(std::deque<int>& state, const request& input) const {
    if (input.is_write) {
      state.push_back(input.value);
      return 0;
    }
    if (state.empty())
      return -1;
    auto first = state.front();
    state.pop_front();
    return first;
  }
  std::string text(const request& input) const {
    return input.is_write ? "put " + std::to_string(input.value) : "take";
  }
};

struct map_model {
  std::map<int, int> initial() const { return {}; }
  int apply(std::map<int, int>& state, const request& input) const {
    if (input.is_write)
      state[input.key] = input.value;
    return input.is_write ? 0 : state[input.key];
  }
  std::string text(const request& input) const {
    return (input.is_write ? "set " : "get ") + std::to_string(input.key) +
           (input.is_write ? " " + std::to_string(input.value) : "");
  }
};

/// The same map, a key at a time.
struct keyed_map_model : register_model {
  int key(const request& input) const { return input.key; }
};

request write(int value, int key = 0) { return {true, value, key}; }
request read(int key = 0) { return {false, 0, key}; }

/// Whether `order` shows that the history is linearizable.
template <class Model>
bool is_witness(const Model& model, const std::vector<op>& all, const std::vector<std::size_t>& order) {
  auto state = model.initial();
  std::vector<bool> seen(all.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto& now = all[order[i]];
    for (std::size_t later = i + 1; later < order.size(); ++later)
      if (all[order[later]].responded < now.invoked)
        return false;
    auto answer = model.apply(state, now.input);
    if ((now.output && *now.output != answer) || seen[order[i]])
      return false;
    seen[order[i]] = true;
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].output && !seen[i])
      return false;
  return true;
}

/// Tries every order of every subset that has all answered operations.
template <class Model>
bool brute_force(const Model& model, const std::vector<op>& all) {
  for (std::size_t subset = 0; subset < std::size_t{1} << all.size(); ++subset) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (subset >> i & 1)
        order.push_back(i);
    do {
      if (is_witness(model, all, order))
        return true;
    } while (std::next_permutation(order.begin(), order.end()));
  }
  return false;
}

/// A history of a few clients whose answers are mostly plausible.
std::vector<op> random_history(random_source& random, std::size_t events, int values, int keys) {
  std::vector<op> all;
  std::vector<std::size_t> open;
  for (std::uint64_t at = 0; at < events; ++at) {
    if (open.size() < 3 && (open.empty() || random.chance(1, 2))) {
      auto value = 1 + static_cast<int>(random.below(static_cast<std::uint64_t>(values)));
      auto key = static_cast<int>(random.below(static_cast<std::uint64_t>(keys)));
      open.push_back(all.size());
      all.push_back(
          {.client = open.size(), .input = random.chance(1, 2) ? write(value, key) : read(key), .invoked = at});
    } else {
      auto which = random.below(open.size());
      auto& ends = all[open[which]];
      ends.output = ends.input.is_write ? 0 : static_cast<int>(random.below(static_cast<std::uint64_t>(values) + 1));
      ends.responded = at;
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(which));
    }
  }
  return all;
}

/// Compares with brute force. @returns how many of the histories were linearizable
template <class Model, class Reference = Model>
int compare(const Model& model, int histories, int keys, const Reference& reference = {}) {
  random_source random{static_cast<std::uint64_t>(keys)};
  int linearizable = 0;
  for (int i = 0; i < histories; ++i) {
    auto all = random_history(random, 4 + random.below(8), 2, keys);
    auto result = check_linearizability(model, all);
    const bool expected = brute_force(reference, all);
    REQUIRE((result.verdict == linearizability::linearizable) == expected);
    linearizable += expected;
    if (expected) {
      REQUIRE(is_witness(reference, all, result.order));
      continue;
    }
    // The longest prefix that is linearizable: one event more is not.
    std::vector<std::size_t> everything(all.size());
    std::iota(everything.begin(), everything.end(), std::size_t{0});
    REQUIRE(brute_force(reference, detail::known_after(all, everything, result.linearizable_prefix)));
    REQUIRE_FALSE(brute_force(reference, detail::known_after(all, everything, result.linearizable_prefix + 1)));
    REQUIRE(all[result.culprit].responded == result.linearizable_prefix);
  }
  return linearizable;
}

} // namespace

TEST_CASE("the check agrees with brute force on small histories of a register, a queue and a map") {
  for (auto [linearizable, of] :
       {std::pair{compare(register_model{}, 1'500, 1), 1'500}, std::pair{compare(queue_model{}, 1'500, 1), 1'500},
        std::pair{compare(map_model{}, 800, 2), 800},
        std::pair{compare(keyed_map_model{}, 800, 2, map_model{}), 800}}) {
    CHECK(linearizable > of / 10);
    CHECK(linearizable < of * 9 / 10);
  }
}

TEST_CASE("a stale read is not linearizable, and the message says what could have been read") {
  history<request, int> recorded;
  auto first = recorded.invoke(1, write(1));
  recorded.respond(first, 0);
  auto second = recorded.invoke(1, write(2));
  auto early = recorded.invoke(2, read());
  recorded.respond(early, 2);
  auto late = recorded.invoke(2, read());
  recorded.respond(late, 1);
  recorded.respond(second, 0);
  auto result = check_linearizability(register_model{}, recorded);
  CHECK(result.verdict == linearizability::not_linearizable);
  CHECK(result.linearizable_prefix == 6);
  CHECK(result.culprit == late);
  CHECK(result.text == "not linearizable: after 6 events, all in order, this answer is not possible:\n"
                       "  client 2: read -> 1\n"
                       "possible would have been: 2\n"
                       "after, among others:\n"
                       "  client 1: write 1 -> 0\n"
                       "  client 1: write 2 -> 0 (at the same time)\n"
                       "  client 2: read -> 2");
}

TEST_CASE("an operation that was never answered may have taken effect late, or not at all") {
  history<request, int> recorded;
  recorded.invoke(1, write(7));
  for (int seen : {0, 0, 7, 7})
    recorded.respond(recorded.invoke(2, read()), seen);
  auto result = check_linearizability(register_model{}, recorded);
  CHECK(result.verdict == linearizability::linearizable);
  CHECK(result.order == std::vector<std::size_t>{1, 2, 0, 3, 4});
  recorded.respond(recorded.invoke(2, read()), 0);
  CHECK(check_linearizability(register_model{}, recorded).verdict == linearizability::not_linearizable);

  history<request, int> undone;
  auto refused = undone.invoke(1, write(7));
  undone.had_no_effect(refused);
  undone.respond(undone.invoke(2, read()), 7);
  CHECK(check_linearizability(register_model{}, undone).verdict == linearizability::not_linearizable);
}

TEST_CASE("an empty history is linearizable") {
  CHECK(check_linearizability(register_model{}, history<request, int>{}).verdict == linearizability::linearizable);
  CHECK(check_linearizability(keyed_map_model{}, history<request, int>{}).verdict == linearizability::linearizable);
}

TEST_CASE("a history refuses answers to what was not asked, or was answered") {
  history<request, int> recorded;
  CHECK_THROWS_WITH_AS(recorded.respond(0, 1), doctest::Contains("never invoked"), std::logic_error);
  auto id = recorded.invoke(1, read());
  recorded.respond(id, 0);
  CHECK_THROWS_WITH_AS(recorded.respond(id, 0), doctest::Contains("answered before"), std::logic_error);
  CHECK_THROWS_AS(recorded.had_no_effect(id), std::logic_error);
}

TEST_CASE("a search that is given up says so, and is neither a yes nor a no") {
  std::vector<op> all;
  for (std::uint64_t i = 0; i < 20; ++i) // all at the same time, and one answer that nobody can have given
    all.push_back({.client = i, .input = write(static_cast<int>(i)), .output = 0, .invoked = i, .responded = 100 + i});
  all.push_back({.client = 20, .input = read(), .output = 99, .invoked = 20, .responded = 120});
  auto result = check_linearizability(register_model{}, all, {.steps_max = 10'000});
  CHECK(result.verdict == linearizability::unknown);
  CHECK(result.text.find("given up after 10000 steps") != std::string::npos);
}

TEST_CASE("a thousand operations of four clients take well under a second" * doctest::test_suite("slow")) {
  random_source random{1};
  std::vector<op> all;
  std::vector<std::size_t> open(4, static_cast<std::size_t>(-1));
  int value = 0;
  std::uint64_t at = 0;
  // Each takes effect at a random time while it is open.
  std::vector<std::optional<int>> effect(4);
  while (all.size() < 1'000 || std::any_of(open.begin(), open.end(), [](auto each) { return each + 1 != 0; })) {
    auto client = random.below(4);
    if (open[client] + 1 == 0) {
      if (all.size() == 1'000)
        continue;
      open[client] = all.size();
      effect[client].reset();
      all.push_back({.client = client,
                     .input = random.chance(1, 2) ? write(static_cast<int>(random.below(5))) : read(),
                     .invoked = at++});
    } else if (auto& of = all[open[client]]; !effect[client]) {
      effect[client] = register_model{}.apply(value, of.input);
    } else {
      of.output = *effect[client];
      of.responded = at++;
      open[client] = static_cast<std::size_t>(-1);
    }
  }
  auto began = std::chrono::steady_clock::now();
  auto good = check_linearizability(register_model{}, all);
  CHECK(good.verdict == linearizability::linearizable);
  CHECK(is_witness(register_model{}, all, good.order));
  for (auto i = all.size() - 1;; --i)
    if (!all[i].input.is_write) {
      *all[i].output += 17;
      break;
    }
  CHECK(check_linearizability(register_model{}, all).verdict == linearizability::not_linearizable);
  auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  MESSAGE("two checks of 1000 operations: " << took << " s, " << good.steps << " steps");
  CHECK(took < 5); // on a machine that does other things, too
}

namespace {

/// A register with two replicas. A write goes to both; the buggy one answers when the first has it, and reads ask one
/// of them.
void replicated_register(simulator& sim, bool is_fixed) {
  auto recorded = std::make_shared<history<request, int>>();
  std::vector<caf::actor> replicas;
  for (int i = 0; i < 2; ++i)
    replicas.push_back(sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior {
      auto value = std::make_shared<int>(0);
      return {[=](const std::string&, int written) {
                *value = written;
                return 0;
              },
              [=](const std::string&) { return *value; }};
    }));
  sim.caf().spawn([=](caf::event_based_actor* self) {
    auto id = recorded->invoke(1, write(5));
    auto missing = std::make_shared<int>(is_fixed ? 2 : 1);
    for (auto& each : replicas)
      self->request(each, caf::infinite, std::string("write"), 5).then([=](int) {
        if (--*missing == 0)
          recorded->respond(id, 0);
      });
  });
  sim.caf().spawn([=](caf::event_based_actor* self) {
    // The fixed one is read at the first replica only.
    auto ask = [=](std::size_t which, const std::function<void()>& then) {
      auto id = recorded->invoke(2, read());
      self->request(replicas[is_fixed ? 0 : which], caf::infinite, std::string("read")).then([=](int value) {
        recorded->respond(id, value);
        then();
      });
    };
    ask(0, [=] { ask(1, [] {}); });
  });
  sim.run_until_idle();
  check_linearizable(register_model{}, *recorded);
}

} // namespace

TEST_CASE("exploring finds the replicated register that is not linearizable, and not the one that is") {
  for (bool is_fixed : {false, true}) {
    auto run = make_runner([=](simulator& sim) { replicated_register(sim, is_fixed); }, {});
    auto result = explore(run, make_strategies(is_fixed ? "dpor" : "random", run, order_model::local),
                          {.seeds = is_fixed ? 100'000u : 1'000u});
    CHECK(result.failing_seed.has_value() == !is_fixed);
    CHECK(result.is_proven == is_fixed);
    if (!is_fixed) {
      CHECK(result.failure.end == verdict::failed);
      CHECK(result.failure.message.find("client 2: read -> 0\npossible would have been: 5") != std::string::npos);
    }
  }
}
