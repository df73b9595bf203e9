// Order models beyond one process, nodes, and the links between them.
#include "actors/ask.hpp"
#include "sim/dfs_search.hpp"
#include "sim/dpor_search.hpp"
#include "sim/explore.hpp"
#include "sim/node.hpp"
#include "sim/scenario.hpp"
#include "sim/simulator.hpp"
#include "sim/strategies.hpp"
#include "tests/sim/all_schedules.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <memory>
#include <set>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

std::string two_senders(simulator& sim) {
  std::string a, b;
  auto A = sim.caf().spawn(note, &a), B = sim.caf().spawn(note, &b);
  for (int i : {1, 2})
    sim.caf().spawn([=](caf::event_based_actor* self) {
      self->send(A, i);
      self->send(B, i);
      self->send(A, i + 2);
    });
  sim.run_until_idle();
  return "A " + a + " B " + b;
}

} // namespace

TEST_CASE("two senders of A, B, A have 12 outcomes between nodes, and 48 without any order") {
  auto local = texts(two_senders, {.model = order_model::local}),
       network = texts(two_senders, {.model = order_model::network}),
       unordered = texts(two_senders, {.model = order_model::unordered}),
       atomic = texts(two_senders, {.model = order_model::atomic});
  // A sees 1 before 3 and 2 before 4: 6 ways, times 2 for B.
  CHECK(network.size() == 12);
  // A sees four messages in any order: 24 ways, times 2 for B.
  CHECK(unordered.size() == 48);
  CHECK(local.size() == 10);
  CHECK(atomic.size() == 2);
  const auto is_within = [](const auto& smaller, const auto& larger) {
    return std::includes(larger.begin(), larger.end(), smaller.begin(), smaller.end());
  };
  CHECK(is_within(atomic, local));
  CHECK(is_within(local, network));
  CHECK(is_within(network, unordered));
}

TEST_CASE("dpor meets every outcome once in every order model") {
  struct {
    const char* what;
    body program;
    std::uint64_t outcomes[4]; // local, atomic, network, unordered
  } const rows[] = {
      {"fan-in: 6 senders, 1 receiver", fan_in(1, 6), {720, 720, 720, 720}},
      {"3 receivers, 2 messages each from different senders", fan_in(3, 2), {8, 8, 8, 8}},
      {"2 clients, 2 request/response pairs each, 1 server", requests(2, 2), {6, 6, 6, 6}},
      {"2 senders to A, B, A", a_b_a, {10, 2, 12, 48}},
  };
  for (auto& row : rows)
    for (auto model : {order_model::local, order_model::atomic, order_model::network, order_model::unordered}) {
      INFO(row.what, ", ", to_string(model));
      auto found = all_of<dpor_search>(row.program, {.model = model});
      CHECK(found.schedules == row.outcomes[static_cast<std::size_t>(model)]);
      CHECK(found.outcomes.size() == row.outcomes[static_cast<std::size_t>(model)]);
      CHECK(found.blocked == 0);
      CHECK_FALSE(found.proves_nothing);
    }
}

TEST_CASE("dpor meets what dfs meets in every order model" * doctest::test_suite("slow")) {
  const body programs[] = {fan_in(1, 3), requests(2, 1),
                           // Two that send to each other, and a third that both tell.
                           [](simulator& sim) {
                             auto all = sim.caf().spawn(sink);
                             auto a = sim.caf().spawn(relay, std::vector<caf::actor>{all});
                             auto b = sim.caf().spawn(relay, std::vector<caf::actor>{a, all});
                             caf::anon_send(a, 1);
                             caf::anon_send(b, 2);
                             sim.run_until_idle();
                           },
                           // A receiver that sets things aside.
                           [](simulator& sim) {
                             auto picky = sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
                               self->set_default_handler(caf::skip);
                               return {[self](caf::ok_atom) { self->become([](int) {}); }};
                             });
                             auto told = sim.caf().spawn(relay, std::vector<caf::actor>{picky});
                             caf::anon_send(told, 1);
                             caf::anon_send(picky, 5);
                             caf::anon_send(picky, caf::ok_atom{});
                             sim.run_until_idle();
                             caf::anon_send_exit(picky, caf::exit_reason::user_shutdown);
                           }};
  for (auto& program : programs)
    for (auto model : {order_model::local, order_model::atomic, order_model::network, order_model::unordered}) {
      const auto which = &program - programs;
      INFO("program ", which, ", ", to_string(model));
      auto every = all_of<dfs_search>(program, {.model = model});
      auto once = all_of<dpor_search>(program, {.model = model});
      CHECK(once.outcomes == every.outcomes);
      CHECK(once.schedules == once.outcomes.size());
      CHECK(once.blocked == 0);
      CHECK_FALSE(once.proves_nothing);
    }
}

TEST_CASE("between nodes an actor takes its next message while its sends are on their way") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto last = sim.caf().spawn(note, &seen);
    auto detour = sim.caf().spawn(
        [=](caf::event_based_actor* self) -> caf::behavior { return {[=](int value) { self->send(last, value); }}; });
    auto busy = sim.caf().spawn([=](caf::event_based_actor* self) -> caf::behavior {
      return {[=](int value) { self->send(value == 1 ? last : detour, value); }};
    });
    caf::anon_send(busy, 1);
    caf::anon_send(busy, 2);
    sim.run_until_idle();
    return seen;
  };
  CHECK(texts(program, {.model = order_model::local}) == std::set<std::string>{"12"});
  CHECK(texts(program, {.model = order_model::network}) == std::set<std::string>{"12", "21"});
}

TEST_CASE("what one actor sends to another keeps its order between nodes, skipped or not; without order it does not") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto receiver = sim.caf().spawn([&](caf::event_based_actor* self) -> caf::behavior {
      self->set_default_handler(caf::skip);
      return {[&seen, self](caf::ok_atom) { self->become([&seen](int value) { seen += std::to_string(value); }); }};
    });
    sim.caf().spawn([=](caf::event_based_actor* self) {
      self->send(receiver, 1);
      self->send(receiver, 2);
      self->send(receiver, caf::ok_atom{});
      self->send(receiver, 3);
    });
    sim.run_until_idle();
    caf::anon_send_exit(receiver, caf::exit_reason::user_shutdown);
    return seen;
  };
  CHECK(texts(program, {.model = order_model::network}) == std::set<std::string>{"123"});
  CHECK(texts(program, {.model = order_model::unordered}).size() == 6);
}

TEST_CASE("sessions, tasks, requests, timers, links and monitors work in every order model") {
  for (auto model : {order_model::network, order_model::unordered})
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
      std::string downs;
      auto result = simulator::once(seed,
                                    [&](simulator& sim) {
                                      auto adder = sim.caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
                                        return {[=](int value) {
                                                  self->delayed_send(self, std::chrono::seconds(value), caf::ok_atom{});
                                                  return value + 1;
                                                },
                                                [](caf::ok_atom) {}};
                                      });
                                      // Kept: an actor without references ends, and takes with it whom it is linked to.
                                      auto watcher =
                                          sim.caf().spawn([=, &downs](caf::event_based_actor* self) -> caf::behavior {
                                            self->set_down_handler([&downs](caf::down_msg&) { downs += "d"; });
                                            self->set_exit_handler([&downs, self](caf::exit_msg&) {
                                              downs += "x";
                                              self->quit();
                                            });
                                            self->monitor(adder);
                                            self->link_to(adder);
                                            self->request(adder, 10s, 1).then([](int) {});
                                            return {[](int) {}};
                                          });
                                      for (int i = 1; i <= 3; ++i) {
                                        auto s = sim.root().open_session({.name = "request"});
                                        s.spawn([=]() -> async<void> {
                                           CHECK(co_await ask<int>(adder, 1min, i) == i + 1);
                                           co_await sleep_for(std::chrono::seconds(i % 2));
                                         }).detach();
                                        s.wait_until([]() -> async<void> { co_await sleep_for(5s); });
                                        s.start_close();
                                      }
                                      sim.run_for(10s);
                                      caf::anon_send_exit(adder, caf::exit_reason::user_shutdown);
                                      sim.run_until_idle();
                                    },
                                    {.model = model});
      REQUIRE_MESSAGE(!result.is_failure(), result.message);
      REQUIRE(std::set<char>(downs.begin(), downs.end()).count('x') == 1);
    }
}

// -- nodes --------------------------------------------------------------------

TEST_CASE("actors live on nodes with what they spawn, and the order of sends is kept within a node only") {
  const auto outcomes = [](bool apart) {
    return texts(
        [=](simulator& sim) {
          std::string seen;
          auto alpha = sim.node("alpha"), beta = apart ? sim.node("beta") : alpha;
          auto last = alpha.spawn(note, &seen);
          auto detour = beta.spawn([=](caf::event_based_actor* self) -> caf::behavior {
            return {[=](int value) { self->send(last, value); }};
          });
          beta.spawn([=](caf::event_based_actor* self) {
            self->spawn([=](caf::event_based_actor* child) {
              child->send(last, 1);
              child->send(detour, 2);
            });
          });
          sim.run_until_idle();
          return seen;
        },
        {.model = order_model::local});
  };
  CHECK(outcomes(false) == std::set<std::string>{"12"});
  CHECK(outcomes(true) == std::set<std::string>{"12", "21"});
}

TEST_CASE("a link takes its time, and a message does not overtake the one before it unless the link has no order") {
  for (bool is_ordered : {true, false}) {
    std::set<std::string> orders;
    std::set<platform::duration> times;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      auto result = simulator::once(seed, [&](simulator& sim) {
        std::string seen;
        auto alpha = sim.node("alpha"), beta = sim.node("beta");
        sim.link("alpha", "beta").latency(1ms, 4ms);
        if (!is_ordered)
          sim.one_way_link("alpha", "beta").order(order_model::unordered);
        auto receiver = beta.spawn(note, &seen);
        alpha.spawn([=](caf::event_based_actor* self) {
          self->send(receiver, 1);
          self->send(receiver, 2);
        });
        const auto begin = sim.now();
        sim.run_until_idle();
        CHECK(seen.empty());
        CHECK(sim.run_until([&] { return seen.size() == 2; }));
        orders.insert(seen);
        times.insert(sim.now() - begin);
      });
      REQUIRE_MESSAGE(!result.is_failure(), result.message);
    }
    CHECK(orders == (is_ordered ? std::set<std::string>{"12"} : std::set<std::string>{"12", "21"}));
    CHECK(times == std::set<platform::duration>{1ms, 2ms, 3ms, 4ms});
  }
}

TEST_CASE("what is sent over a cut link is lost until it heals; what is on its way arrives") {
  simulator::once(3, [](simulator& sim) {
    std::string seen;
    auto alpha = sim.node("alpha"), beta = sim.node("beta");
    sim.links().latency(1s);
    auto receiver = beta.spawn(note, &seen);
    auto forward = alpha.spawn([=](caf::event_based_actor* self) -> caf::behavior {
      return {[=](int value) { self->send(receiver, value); }};
    });
    const auto tell = [&](int value) {
      caf::anon_send(forward, value);
      sim.run_for(1500ms);
    };
    tell(1);
    sim.link("alpha", "beta").cut();
    tell(2);
    tell(3);
    sim.link("alpha", "beta").heal();
    tell(4);
    sim.one_way_link("beta", "alpha").cut();
    tell(5);
    sim.one_way_link("alpha", "beta").cut();
    tell(6);
    sim.run_for(10s);
    CHECK(seen == "145");
  });
}

TEST_CASE("nodes and links that make no sense are refused") {
  simulator::once(0, [](simulator& sim) {
    CHECK_THROWS_AS(sim.node(""), std::invalid_argument);
    sim.node("alpha");
    CHECK_THROWS_WITH_AS(sim.link("alpha", "alhpa"), doctest::Contains("alpha"), std::invalid_argument);
    sim.node("beta");
    CHECK_THROWS_AS(sim.link("alpha", "beta").latency(2ms, 1ms), std::invalid_argument);
    CHECK_THROWS_AS(sim.link("alpha", "beta").latency(-1ms), std::invalid_argument);
    CHECK_THROWS_AS(sim.link("alpha", "beta").order(order_model::atomic), std::invalid_argument);
    CHECK_THROWS_AS(sim.link("alpha", "alpha"), std::invalid_argument);
  });
}

TEST_CASE("whoever asks in a network after an actor that has ended is told after what that one has sent") {
  const auto program = [](simulator& sim) {
    auto log = std::make_shared<std::string>();
    auto alpha = sim.node("alpha"), beta = sim.node("beta");
    auto watcher = alpha.spawn([=](caf::event_based_actor* self) -> caf::behavior {
      self->set_down_handler([=](caf::down_msg&) { *log += "down "; });
      return {[=](caf::actor other) { self->monitor(other); }, [=](int value) { *log += std::to_string(value) + " "; }};
    });
    auto worker = beta.spawn([=](caf::event_based_actor* self) -> caf::behavior {
      return {[=](int value) {
        self->send(watcher, value);
        self->quit();
      }};
    });
    caf::anon_send(worker, 1);
    caf::anon_send(watcher, worker);
    sim.run_until_idle();
    return *log;
  };
  // By dfs: that an actor has ended is seen without a message, and dpor does not know of it.
  CHECK(texts<dfs_search>(program, {}) == std::set<std::string>{"1 down "});
}

TEST_CASE("the answer to a task is a message like any other: it is lost, late, or comes twice, which does no harm") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto server =
        sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int value) { return value + 1; }}; });
    sim.root()
        .spawn([&seen, server]() -> async<void> {
          for (int i : {1, 2}) {
            auto answer = co_await ask<int>(server, 500ms, i);
            seen += answer ? std::to_string(*answer) : answer.error() == caf::sec::request_timeout ? "t" : "?";
          }
        })
        .detach();
    sim.run_for(1min);
    return seen;
  };
  for (auto model : {order_model::network, order_model::unordered}) {
    INFO(std::string(to_string(model)));
    const auto all = [&](const fault_options& faults) {
      return all_texts(program, {.model = model, .faults = faults});
    };
    CHECK(all({}) == joined({"23"}));
    CHECK(all({.duplicate = 2}) == joined({"23"}));
    CHECK(all({.drop = 1}) == joined({"23", "t3", "2t"}));
    // Between nodes the second answer waits for the first one, and meets the timeout: which dpor sees with memory=2.
    const auto late = texts<dfs_search>(program, {.model = model, .faults = {.delay = 1}});
    CHECK(late == (model == order_model::network ? std::set<std::string>{"23", "t3", "2t", "tt"}
                                                 : std::set<std::string>{"23", "t3", "2t"}));
    std::set<std::string> seen;
    dpor_search search{dpor_search::memory::all_dependent};
    while (auto order = search.next())
      run_scenario([&](simulator& sim) { seen.insert(program(sim)); }, {.model = model, .faults = {.delay = 1}},
                   *order);
    CHECK(seen == late);
  }
}

TEST_CASE("the answer to a task takes the time of its link, and is lost where that is cut") {
  int asked = 0;
  simulator::once(0, [&asked](simulator& sim) {
    auto server = sim.node("far").spawn(
        [&asked](caf::event_based_actor*) -> caf::behavior { return {[&asked](int) { return ++asked; }}; });
    auto links = sim.links();
    links.latency(3ms);
    const auto begin = sim.now();
    auto first = sim.root().spawn([=]() -> async<bool> { co_return bool(co_await ask<int>(server, 1min, 1)); });
    CHECK(sim.run_until([&] { return first.is_ready(); }));
    CHECK(sim.now() - begin == 6ms);
    auto second = sim.root().spawn([=]() -> async<bool> { co_return bool(co_await ask<int>(server, 1min, 2)); });
    sim.run_for(4ms); // the request is there, the answer on its way
    links.cut();
    CHECK(sim.run_until([&] { return second.is_ready(); }));
    CHECK(*second.peek()); // what was on its way arrives
    links.heal();
    auto third = sim.root().spawn([=]() -> async<bool> { co_return bool(co_await ask<int>(server, 1min, 3)); });
    sim.run_for(2ms); // the request is on its way, and will arrive
    links.cut();
    CHECK(sim.run_until([&] { return third.is_ready(); }));
    CHECK_FALSE(*third.peek());
    CHECK(asked == 3);
  });
}
