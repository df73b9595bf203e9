// The fuzz targets of Troupe itself. None may ever fail: each check is a promise of the library.
#include "fuzz/targets.hpp"
#include "actors/ask.hpp"
#include "sim/simulator.hpp"
#include <caf/all.hpp>
#include <map>
#include <memory>
#include <string>

namespace troupe::fuzz_targets {
TROUPE_ATOM(hello_atom, "hello");
} // namespace troupe::fuzz_targets

TROUPE_BEGIN_MESSAGES(fuzz_targets, caf::first_custom_type_id + 32); // after those of the checkout example
TROUPE_MESSAGE(fuzz_targets, (troupe::fuzz_targets::hello_atom));
TROUPE_END_MESSAGES(fuzz_targets);

namespace troupe::fuzz_targets {
namespace {

using namespace std::chrono_literals;

/// Counts how often each piece of work was started.
class start_counts {
public:
  explicit start_counts(std::size_t count) : starts_(std::make_shared<std::vector<int>>(count)) {}
  void started(std::size_t which) const { ++starts_->at(which); }
  int of(std::size_t which) const { return starts_->at(which); }

private:
  std::shared_ptr<std::vector<int>> starts_;
};

template <class T>
bool ended_well(const task<T>& work) {
  return work.is_ready() && work.peek().has_value();
}

// -- basic --------------------------------------------------------------------

/// Answers with how many greetings it has had; fails the run if those of one sender overtake each other.
caf::behavior greeted(caf::event_based_actor*, simulator* sim) {
  auto seen = std::make_shared<std::map<int, int>>();
  auto total = std::make_shared<int>(0);
  return {[=](hello_atom, int sender, int number) {
    sim->check((*seen)[sender]++ == number, "messages of one sender overtook each other");
    return ++*total;
  }};
}

async<int> greet(caf::actor whom, int sender, start_counts starts) {
  starts.started(static_cast<std::size_t>(sender));
  int last = 0;
  for (int number = 0; number < 2; ++number) {
    auto answer = co_await ask<int>(whom, 5s, hello_atom{}, sender, number);
    last = answer ? *answer : 0;
    co_await yield();
  }
  co_return last;
}

async<int> add_up(std::shared_ptr<task<int>> number, std::shared_ptr<task<std::string>> word, start_counts starts) {
  starts.started(4);
  int first = co_await *number;
  co_await sleep_for(10ms);
  std::string second = co_await *word;
  co_return first + static_cast<int>(second.size());
}

/// Tasks that compute, wait for each other and talk to an actor: each starts once, and gives what it should.
void basic(simulator& sim) {
  start_counts starts(5);
  auto home = sim.root().open_session({.name = "basic"});
  auto actor = sim.caf().spawn(greeted, &sim);
  (void)home.own(actor, "greeted");
  auto number = std::make_shared<task<int>>(home.spawn([starts] {
    starts.started(2);
    return 42;
  }));
  auto word = std::make_shared<task<std::string>>(home.spawn([starts] {
    starts.started(3);
    return std::string{"hello"};
  }));
  auto first = home.spawn([=] { return greet(actor, 0, starts); });
  auto second = home.spawn([=] { return greet(actor, 1, starts); });
  auto sum = home.spawn([=] { return add_up(number, word, starts); });
  sim.run_until([&] { return first.is_ready() && second.is_ready() && sum.is_ready(); });

  if (!sim.check(ended_well(*number) && ended_well(*word) && ended_well(first) && ended_well(second) && ended_well(sum),
                 "a task did not end well"))
    return;
  sim.check(*number->peek() == 42 && *sum.peek() == 47, "a task has another's result");
  sim.check(*first.peek() == 4 || *second.peek() == 4, "a greeting was lost");
  for (std::size_t i = 0; i < 5; ++i)
    sim.check(starts.of(i) == 1,
              "work " + std::to_string(i) + " was started " + std::to_string(starts.of(i)) + " times");
}

// -- sessions -----------------------------------------------------------------

/// What the work of one session leaves behind.
struct ledger {
  simulator* sim;
  start_counts starts{8};
  int resource_users = 0;
  int resource_closed = 0;
  int audits = 0;
};

async<void> use_resource(std::shared_ptr<ledger> book, std::size_t which, platform::duration pause) {
  struct user {
    std::shared_ptr<ledger> book;
    explicit user(std::shared_ptr<ledger> used) : book(std::move(used)) { ++book->resource_users; }
    ~user() { --book->resource_users; }
  };
  book->starts.started(which);
  user inside{book};
  co_await yield();
  co_await sleep_for(pause);
  book->sim->check(book->resource_closed == 0, "the resource was closed under its user");
}

async<void> tick(std::shared_ptr<ledger> book) {
  book->starts.started(3);
  for (;;)
    co_await sleep_for(1ms);
}

async<void> audit(std::shared_ptr<ledger> book, session scope) {
  book->starts.started(4);
  co_await sleep_for(5ms);
  // Accepted even if the session is closing: it comes out of a task that the session waits for.
  auto row = scope.wait_until([book] { ++book->audits; });
  co_await row;
}

async<void> close_early(session scope) {
  co_await yield();
  scope.start_close();
}

/// Every counted task has ended in one way.
void check_counters(simulator& sim, const cleanup_report& report) {
  const auto& n = report.counters;
  sim.check(n.spawned + n.taken_over == n.ok + n.failed + n.cancelled + n.abandoned + n.handed_over && n.stale == 0,
            "the counters do not add up: " + report.to_text());
  sim.check(report.is_clean() && report.final_state == session_state::closed, report.to_text());
}

/// A session that is closed while its work is being spawned, with everything that a session can own.
void sessions(simulator& sim) {
  auto book = std::make_shared<ledger>();
  book->sim = &sim;
  auto outer = sim.root().open_session({.name = "outer"});
  auto inner = outer.open_session({.name = "inner"});
  const auto refused = inner.acquire(
      "resource", [] { return std::error_code{}; },
      [book] {
        ++book->resource_closed;
        book->sim->check(book->resource_users == 0, "the resource was closed before its users had ended");
      });
  sim.check(!refused, "a new session refuses a resource");

  auto user = inner.spawn([=] { return use_resource(book, 0, 3ms); }, {.name = "user"});
  auto late_user = inner.spawn([=] { return use_resource(book, 1, 20ms); }, {.name = "late user"});
  auto moved = inner.spawn([=] { book->starts.started(2); }, {.name = "moved"});
  auto daemon = inner.daemon([=] { return tick(book); }, {.name = "daemon"});
  auto shielded = inner.wait_until([=] { return audit(book, inner); }, {.name = "audit"});
  auto dropped = inner.spawn([=] { return use_resource(book, 5, 1ms); }, {.name = "dropped"});
  auto closer = outer.spawn([=] { return close_early(inner); }, {.name = "closer"});
  auto spawner = outer.spawn(
      [=] {
        auto straggler = inner.spawn([book] { book->starts.started(6); }, {.name = "straggler"});
        const bool is_in = !straggler.error();
        straggler.detach();
        return is_in;
      },
      {.name = "spawner"});
  (void)inner.detach(std::move(moved), outer);
  for (int i = 0; i < 3; ++i)
    sim.step();
  dropped = {};

  auto report = inner.closed();
  sim.run_until([&] { return report.is_ready() && spawner.is_ready() && closer.is_ready(); });
  if (!sim.check(ended_well(report) && ended_well(spawner) && ended_well(closer), "the session did not close"))
    return;
  check_counters(sim, *report.peek());
  std::string why;
  sim.check(!inner.validate_cleanup(&why), why);
  sim.check(book->resource_closed == 1, "the resource was closed " + std::to_string(book->resource_closed) + " times");
  sim.check(ended_well(user) && ended_well(late_user), "a scoped task was not waited for");
  sim.check(ended_well(shielded) && book->audits == 1, "work that the session has to wait for was lost");
  sim.check(daemon.is_ready() && daemon.peek().is_cancelled(), "the daemon was not cancelled");
  for (std::size_t i : {0, 1, 4})
    sim.check(book->starts.of(i) == 1, "work " + std::to_string(i) + " was not started once");
  sim.check(book->starts.of(3) <= 1 && book->starts.of(5) <= 1, "cancelled work was started twice");
  sim.check(book->starts.of(6) == int(*spawner.peek()), "a refused task ran, or an accepted one did not");

  auto last = outer.close();
  sim.run_until([&] { return last.is_ready(); });
  if (!sim.check(ended_well(last), "the outer session did not close"))
    return;
  check_counters(sim, *last.peek());
  sim.check(book->starts.of(2) == 1, "the task that was handed over was not run once");
  auto refusal = inner.spawn([book] { book->starts.started(7); });
  sim.run_until_idle();
  sim.check(refusal.error() == errc::session_closed && book->starts.of(7) == 0, "a closed session takes work");
}

// -- priorities ---------------------------------------------------------------

constexpr priority classes[priority_count] = {priority::background, priority::normal, priority::foreground,
                                              priority::critical};
constexpr std::size_t tasks_per_class = 3;

/// What happens on the main thread.
struct lane_log {
  simulator* sim;
  bool is_busy = false;
  std::size_t started[priority_count] = {};
  std::size_t ended = 0;
};

void step_alone(lane_log& log) {
  log.sim->check(!std::exchange(log.is_busy, true), "two tasks run on the main thread at once");
  log.sim->check(log.sim->sys().dispatcher().is_main_thread(), "a foreground task runs elsewhere");
  log.is_busy = false;
}

async<void> in_turn(std::shared_ptr<lane_log> log, std::size_t which, std::size_t number) {
  log->sim->check(log->started[which]++ == number, "tasks of one priority started out of turn, or twice");
  step_alone(*log);
  co_await yield();
  step_alone(*log);
  ++log->ended;
}

/// Asks for the lane again and again while others wait for it.
async<void> crowd(std::shared_ptr<lane_log> log) {
  for (int turn = 0; turn < 12; ++turn) {
    step_alone(*log);
    co_await yield();
  }
}

/// Tasks of every priority in one serial lane: each starts once, in its turn, and none starves.
void priorities(simulator& sim) {
  auto log = std::make_shared<lane_log>();
  log->sim = &sim;
  auto home = sim.root().open_session({.name = "priorities"});
  auto& lane = sim.sys().foreground();
  std::vector<task<void>> all;
  all.push_back(home.spawn([=] { return crowd(log); }, {.on = &lane, .urgency = priority::critical, .name = "crowd"}));
  for (std::size_t number = 0; number < tasks_per_class; ++number)
    for (std::size_t which = 0; which < priority_count; ++which)
      all.push_back(home.spawn([=] { return in_turn(log, which, number); }, {.on = &lane, .urgency = classes[which]}));
  // The background lane has no order, and so no turns.
  auto anywhere = std::make_shared<int>(0);
  for (auto urgency : classes)
    all.push_back(home.spawn([=] { ++*anywhere; }, {.urgency = urgency}));
  sim.run_until_idle();

  for (const auto& each : all)
    sim.check(ended_well(each), "a task starved");
  sim.check(log->ended == priority_count * tasks_per_class && *anywhere == int(priority_count), "work was lost");
}

} // namespace

void add_scenarios(scenario_set& scenarios) {
  scenarios.add({"basic", "tasks compute, wait for each other and ask an actor", basic});
  scenarios.add({"sessions", "a session closes while work of every kind is spawned in it", sessions});
  scenarios.add({"priorities", "tasks of every priority share the main thread", priorities});
}

} // namespace troupe::fuzz_targets
