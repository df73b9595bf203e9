// Faults: what may go wrong, in every strategy, within its budget and nowhere else.
#include "sim/chart.hpp"
#include "sim/dfs_search.hpp"
#include "sim/dpor_search.hpp"
#include "sim/explore.hpp"
#include "sim/fault_point.hpp"
#include "sim/fifo_strategy.hpp"
#include "sim/node.hpp"
#include "sim/random_strategy.hpp"
#include "sim/scenario.hpp"
#include "sim/shrink.hpp"
#include "sim/simulator.hpp"
#include "sim/strategies.hpp"
#include "sim/tape_strategy.hpp"
#include "tests/sim/all_schedules.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <map>
#include <set>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

std::string joined(const std::set<std::string>& texts) {
  std::string result;
  for (auto& each : texts)
    result += (result.empty() ? "'" : " '") + each + "'";
  return result;
}

/// Every text that `program` leaves behind in some schedule with some faults.
std::string all_texts(const std::function<std::string(simulator&)>& program, const simulation_options& options) {
  return joined(texts(program, options));
}

/// Two nodes, one of which sends 1 and 2 to the other.
std::string one_two(simulator& sim) {
  std::string seen;
  auto receiver = sim.node("beta").spawn(note, &seen);
  sim.node("alpha").spawn([=](caf::event_based_actor* self) {
    self->send(receiver, 1);
    self->send(receiver, 2);
  });
  sim.run_for(1min);
  return seen;
}

} // namespace

TEST_CASE("without a budget nothing changes, and the default order meets no fault whatever the budget") {
  fifo_strategy fifo;
  const auto plain = run_scenario([](simulator& sim) { one_two(sim); }, {}, fifo);
  simulation_options options;
  for (auto kind : all_fault_kinds)
    options.faults.of(kind) = 2;
  const auto may_fail = run_scenario([](simulator& sim) { one_two(sim); }, options, fifo);
  CHECK(plain.fault_opportunities == 0);
  CHECK(may_fail.fault_opportunities > 3);
  CHECK(may_fail.faults == 0);
  CHECK(may_fail.trace_hash == plain.trace_hash);
  CHECK(may_fail.outcome_hash == plain.outcome_hash);
}

TEST_CASE("messages between nodes are lost, come twice or come late, as often as the budget allows") {
  CHECK(all_texts(one_two, {}) == joined({"12"}));
  CHECK(all_texts(one_two, {.faults = {.drop = 1}}) == joined({"12", "1", "2"}));
  CHECK(all_texts(one_two, {.faults = {.drop = 2}}) == joined({"12", "1", "2", ""}));
  CHECK(all_texts(one_two, {.faults = {.duplicate = 1}}) == joined({"12", "112", "121", "122", "212"}));
  CHECK(all_texts(one_two, {.faults = {.delay = 1}}) == joined({"12"})); // a link keeps its order
  CHECK(all_texts(
            [](simulator& sim) {
              sim.links().order(order_model::unordered).latency(1ms);
              return one_two(sim);
            },
            {.faults = {.delay = 1}}) == joined({"12", "21"}));
}

TEST_CASE("a message is delayed by as much as the options say") {
  std::set<platform::duration> times;
  dpor_search search;
  while (auto order = search.next())
    run_scenario(
        [&](simulator& sim) {
          std::string seen;
          auto receiver = sim.node("beta").spawn(note, &seen);
          sim.node("alpha").spawn([=](caf::event_based_actor* self) { self->send(receiver, 1); });
          const auto begin = sim.now();
          CHECK(sim.run_until([&] { return !seen.empty(); }));
          times.insert(sim.now() - begin);
        },
        {.faults = {.delay = 1, .delayed_by = 7s}}, *order);
  CHECK(times == std::set<platform::duration>{0s, 7s});
}

TEST_CASE("an actor that crashes is seen as one that has failed: by monitors, by links, and by who asks") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto server =
        sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int value) { return value; }}; });
    auto client = sim.caf().spawn([=, &seen](caf::event_based_actor* self) -> caf::behavior {
      self->set_down_handler(
          [&seen](caf::down_msg& down) { seen += down.reason == caf::sec::runtime_error ? 'd' : '?'; });
      self->monitor(server);
      self->request(server, 10s, 1).then([&seen](int) { seen += 'a'; }, [&seen](caf::error&) { seen += 'e'; });
      return {[](int) {}};
    });
    sim.spare(client);
    sim.run_for(1min);
    return seen;
  };
  CHECK(all_texts(program, {.faults = {.crash = 1}}) == joined({"a", "ad", "de"}));
}

TEST_CASE("a node crashes as a whole, and comes back with whom it hosts, under the same address") {
  std::string seen;
  int starts = 0;
  simulator::once(1, [&](simulator& sim) {
    auto alpha = sim.node("alpha");
    auto gone = alpha.spawn(note, &seen);
    auto hosted = alpha.host(
        [](caf::event_based_actor*, std::string* into, int* starts) -> caf::behavior {
          *into += static_cast<char>('A' + (*starts)++);
          return {[into](int value) { *into += std::to_string(value); }};
        },
        &seen, &starts);
    const auto tell = [&](int value) {
      caf::anon_send(hosted, value);
      caf::anon_send(gone, value);
    };
    tell(1);
    sim.run_until_idle();
    CHECK(seen == "A11");
    CHECK(alpha.is_up());
    alpha.crash();
    CHECK_FALSE(alpha.is_up());
    tell(2);
    sim.run_until_idle();
    CHECK(alpha.is_up());
    tell(3);
    sim.run_until_idle();
    CHECK(seen == "A11B3");
  });
}

TEST_CASE("a crash may come between two sends, and after each of them") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto beta = sim.node("beta");
    auto receiver = beta.spawn(note, &seen);
    sim.spare(receiver);
    sim.node("alpha").spawn([=](caf::event_based_actor* self) -> caf::behavior {
      for (int i : {1, 2, 3})
        self->send(receiver, i);
      return {[](int) {}};
    });
    sim.run_until_idle();
    return seen;
  };
  CHECK(all_texts(program, {.faults = {.crash = 1}}) == joined({"", "1", "12", "123"}));
}

TEST_CASE("nodes are parted one way or both, and find each other again") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto alpha = sim.node("alpha"), beta = sim.node("beta");
    auto log = beta.spawn(note, &seen);
    auto clock = alpha.spawn([=](caf::event_based_actor* self) -> caf::behavior {
      self->delayed_send(self, 1s, 1);
      return {[=](int value) {
        self->send(log, value);
        if (value < 3)
          self->delayed_send(self, 1s, value + 1);
      }};
    });
    sim.run_for(1h);
    caf::anon_send_exit(clock, caf::exit_reason::user_shutdown);
    return seen;
  };
  for (auto both : {true, false}) {
    simulation_options options;
    (both ? options.faults.partition : options.faults.one_way) = 1;
    options.faults.parted_for = 1500ms;
    // One that begins late or is about the other direction loses nothing.
    CHECK(all_texts(program, options) == joined({"123", "12", "13", "3", "23", "1"}));
    options.faults.parted_for = 0s;
    CHECK(all_texts(program, options) == joined({"123", "12", "1", ""}));
  }
}

TEST_CASE("an executor refuses a task as one whose queue is full") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto first = sim.root().spawn([&] { seen += '1'; }), second = sim.root().spawn([&] { seen += '2'; });
    for (auto* each : {&first, &second})
      if (each->error() == errc::queue_full)
        seen += 'r';
    sim.run_until_idle();
    return seen;
  };
  CHECK(all_texts(program, {.faults = {.reject = 1}}) == joined({"12", "r2", "r1"}));
}

TEST_CASE("a task whose thread goes away is lost, before its code, in its middle or after it") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto s = sim.root().open_session({.on_failure = failure_policy::collect});
    auto work = s.spawn([&]() -> async<int> {
      seen += '1';
      co_await sleep_for(1s);
      seen += '2';
      co_return 7;
    });
    s.spawn([&seen, &work]() -> async<void> {
       auto end = co_await work.fallible();
       seen += end ? "ok" : end.error() == errc::task_lost ? "lost" : "?";
     }).detach();
    sim.run_for(1min);
    s.start_close();
    sim.run_for(1min);
    CHECK(s.state() == session_state::closed);
    return seen;
  };
  const auto seen = all_texts(program, {.fail_on_failed_session = false, .faults = {.lose = 1}});
  CHECK(seen == joined({"12ok", "1lost", "12"}));
}

TEST_CASE("a fault point fails within its budget in a simulated run, and nowhere else") {
  CHECK_FALSE(fault_point("store.write"));
  crash_point("store.write");
  const auto program = [](simulator& sim) {
    std::string seen;
    auto store = sim.caf().spawn([&](caf::event_based_actor*) -> caf::behavior {
      return {[&](int) { seen += fault_point("store.write") ? 'x' : 'w'; }};
    });
    for (int i : {1, 2})
      caf::anon_send(store, i);
    sim.run_until_idle();
    return seen;
  };
  CHECK(all_texts(program, {}) == joined({"ww"}));
  CHECK(all_texts(program, {.faults = {.point = 1}}) == joined({"ww", "xw", "wx"}));
  CHECK(all_texts(program, {.faults = {.point = 2}}) == joined({"ww", "xw", "wx", "xx"}));
}

TEST_CASE("a crash point ends the handler in its middle, and the verdict is not an exception") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto log = sim.caf().spawn(note, &seen);
    sim.spare(log);
    auto writer = sim.caf().spawn([=, &seen](caf::event_based_actor* self) -> caf::behavior {
      return {[=, &seen](int value) {
        self->send(log, value);
        crash_point("before write");
        seen += 'w';
      }};
    });
    caf::anon_send(writer, 1);
    sim.run_until_idle();
    return seen;
  };
  // Never started, sent and crashed, or written.
  CHECK(all_texts(program, {.faults = {.crash = 1}}) == joined({"", "1", "w1"}));
}

TEST_CASE("dpor meets what dfs meets, each once, whatever may go wrong" * doctest::test_suite("slow")) {
  struct {
    const char* what;
    fault_options faults;
  } const rows[] = {
      {"crash", {.crash = 1}},        {"crash twice", {.crash = 2}},   {"drop", {.drop = 1}},
      {"drop twice", {.drop = 2}},    {"duplicate", {.duplicate = 1}}, {"crash and drop", {.crash = 1, .drop = 1}},
      {"fault points", {.point = 2}},
  };
  const body programs[] = {fan_in(1, 2), requests(2, 1),
                           // Who hears of it first.
                           [](simulator& sim) {
                             auto all = sim.caf().spawn(sink);
                             auto a = sim.caf().spawn(relay, std::vector<caf::actor>{all});
                             sim.caf().spawn(relay, std::vector<caf::actor>{a, all});
                             caf::anon_send(a, 1);
                             sim.run_until_idle();
                           },
                           // Somebody who asks what may fail.
                           [](simulator& sim) {
                             auto server = sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior {
                               return {[](int value) { return fault_point("answer") ? -value : value; }};
                             });
                             sim.caf().spawn([=](caf::event_based_actor* self) -> caf::behavior {
                               self->set_down_handler([](caf::down_msg&) {});
                               self->monitor(server);
                               self->send(server, 1);
                               return {[](int) {}};
                             });
                             sim.run_until_idle();
                           }};
  for (auto& row : rows)
    for (auto& program : programs)
      for (auto model : {order_model::local, order_model::atomic, order_model::network, order_model::unordered}) {
        const auto which = &program - programs;
        if (which == 3 && row.faults.crash != 0)
          continue; // who is told by a monitor of a crash: dpor does not try all orders of that
        const bool is_apart = model == order_model::network || model == order_model::unordered;
        if (!is_apart && row.faults.drop + row.faults.duplicate != 0)
          continue;
        if (which == 1 && row.faults.duplicate != 0)
          continue; // too many schedules for dfs
        INFO(std::string(row.what), ", program ", which, ", ", std::string(to_string(model)));
        const simulation_options options{.model = model, .faults = row.faults};
        auto every = all_of<dfs_search>(program, options);
        auto once = all_of<dpor_search>(program, options);
        CHECK(once.outcomes == every.outcomes);
        // What waits in a mailbox when its actor crashes has arrived in some order, which nobody sees.
        if (row.faults.crash == 0)
          CHECK(once.schedules == once.outcomes.size());
        CHECK(once.blocked == 0);
        CHECK(once.proves_nothing == (row.faults.crash != 0));
      }
}

TEST_CASE("dpor calls nothing proven where actors or nodes may crash or be parted, and dfs does" *
          doctest::test_suite("slow")) {
  const auto program = [](simulator& sim) {
    auto alpha = sim.node("alpha"), beta = sim.node("beta");
    auto server = beta.host([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; });
    alpha.spawn([=](caf::event_based_actor* self) { self->send(server, 1); });
    sim.run_until_idle();
  };
  for (auto& faults : {fault_options{.crash = 1}, fault_options{.node_crash = 1}, fault_options{.partition = 1},
                       fault_options{.one_way = 1}, fault_options{.drop = 1}}) {
    INFO(to_text(faults));
    const auto run = make_runner(program, {.faults = faults});
    CHECK(explore(run, make_strategies("dfs", run), {.seeds = 100'000}).is_proven);
    CHECK(explore(run, make_strategies("dpor", run), {.seeds = 100'000}).is_proven == (faults.drop != 0));
  }
}

TEST_CASE("every strategy keeps to the budget, meets faults, and spreads them over the run") {
  const auto program = [](simulator& sim) {
    auto receiver = sim.node("beta").spawn(sink);
    sim.node("alpha").spawn([=](caf::event_based_actor* self) -> caf::behavior {
      self->delayed_send(self, 1s, 1);
      return {[=](int value) {
        self->send(receiver, value);
        if (value < 60)
          self->delayed_send(self, 1s, value + 1);
      }};
    });
    sim.run_for(2min);
  };
  const simulation_options options{.faults = {.drop = 2}};
  for (auto& each : known_strategies()) {
    INFO(each.name);
    auto run = make_runner(program, options);
    auto make = make_strategies(each.name, run);
    if (make.is_exhaustive || each.name == "fifo")
      continue;
    int thirds[3] = {}, without = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      auto order = make(seed);
      auto result = run(make.program_seed(seed), *order, false);
      REQUIRE(result.faults <= 2);
      without += result.faults == 0;
      std::size_t opportunity = 0;
      for (auto& decision : result.decisions)
        if (decision.kind == decision_kind::fault) {
          if (decision.index != 0)
            ++thirds[opportunity * 3 / 60];
          ++opportunity;
        }
    }
    CHECK(without > 5);
    CHECK(without < 100);
    for (auto count : thirds)
      CHECK(count > 30);
  }
}

TEST_CASE("a run with faults repeats from its seed and from its tape") {
  simulation_options options{.model = order_model::network};
  options.faults = {.crash = 2, .drop = 2, .duplicate = 1, .delay = 1};
  auto run = make_runner(requests(3, 2), options);
  std::uint64_t faults = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    random_strategy first(seed), second(seed);
    auto a = run(seed, first, false), b = run(seed, second, false);
    REQUIRE_MESSAGE(!a.is_failure(), a.message);
    REQUIRE(a.trace_hash == b.trace_hash);
    tape_strategy replay(a.decisions);
    auto again = run(seed, replay, false);
    REQUIRE(again.trace_hash == a.trace_hash);
    REQUIRE(replay.followed_exactly());
    REQUIRE(again.faults == a.faults);
    faults += a.faults;
  }
  CHECK(faults > 200);
}

TEST_CASE("shrinking leaves out the faults that have no part in the failure") {
  simulation_options options{.faults = {.drop = 6}};
  const auto program = [](simulator& sim) {
    std::string seen;
    auto receiver = sim.node("beta").spawn(note, &seen);
    sim.node("alpha").spawn([=](caf::event_based_actor* self) {
      for (int i = 0; i < 10; ++i)
        self->send(receiver, i);
    });
    sim.run_until_idle();
    sim.check(seen.find('7') != std::string::npos, "7 is missing");
  };
  auto run = make_runner(program, options);
  bool has_seen_many = false;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    random_strategy order(seed);
    auto failing = run(seed, order, false);
    if (!failing.is_failure())
      continue;
    has_seen_many = has_seen_many || failing.faults > 2;
    options.seed = seed;
    auto shrunk = shrink(run, make_tape("p", "s", "random", options, failing));
    REQUIRE(shrunk.reproduced);
    CHECK(shrunk.run.faults == 1);
    CHECK(shrunk.deviations_after == 1);
  }
  CHECK(has_seen_many);
}

TEST_CASE("faults that a run cannot meet are said, not passed over") {
  const auto plain = [](simulator& sim) { requests(1, 1)(sim); };
  auto lost = simulator::once(0, plain, {.faults = {.drop = 1}});
  CHECK(lost.end == verdict::failed);
  CHECK(lost.message.find("drop=1") != std::string::npos);
  CHECK(lost.message.find("--model") == std::string::npos);
  CHECK_FALSE(simulator::once(0, plain, {.model = order_model::network, .faults = {.drop = 1}}).is_failure());
  CHECK(simulator::once(0, plain, {.model = order_model::network, .faults = {.partition = 1}}).is_failure());
}

TEST_CASE("budgets are text that is read again, and text that is none is refused") {
  std::string error;
  auto read = parse_faults("crash=1,drop=20", error);
  REQUIRE(read.has_value());
  CHECK(read->crash == 1);
  CHECK(read->drop == 20);
  CHECK(to_text(*read) == "crash=1,drop=20");
  CHECK(to_text(fault_options{}) == "none");
  CHECK(parse_faults("none", error)->total() == 0);
  for (auto* wrong :
       {"", "crash", "crash=", "crash=x", "crash=-1", "crash=1,", "cash=1", "crash=99999999999", "crash=1;drop=2"}) {
    INFO(wrong);
    error.clear();
    CHECK_FALSE(parse_faults(wrong, error).has_value());
    CHECK_FALSE(error.empty());
  }
}
