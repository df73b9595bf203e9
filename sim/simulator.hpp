// One simulated run, as its test sees it.
#pragma once
#include "sessions/system.hpp"
#include "sim/lasso.hpp"
#include "sim/node.hpp"
#include "sim/outside.hpp"
#include "sim/random_source.hpp"
#include "sim/run_result.hpp"
#include "sim/simulation_options.hpp"
#include "sim/specification.hpp"
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <typeindex>
#include <vector>

namespace troupe {

class hosted_actor;
class outside_events;
class sim_engine;

/// A system on one thread, in virtual time, whose every order of events is a decision. Handed to the test by
/// `once`, `many` or a scenario. Thread safety: only the thread that runs it.
class simulator {
public:
  using test = std::function<void(simulator&)>;

  /// Runs `body` under one seed of the `random` strategy. When `body` returns, the root session is closed and audited.
  static run_result once(std::uint64_t seed, const test& body, simulation_options options = {});

  /// Runs `body` under `count` seeds from `options.seed` on, or as the environment says: SEED (the first seed) and
  /// ITERATIONS (how many). Stops at the first failure, prints the failing seed and how to repeat it, and returns it.
  /// An environment that makes no sense is a failure too.
  static run_result many(std::uint64_t count, const test& body, simulation_options options = {});

  /// The simulated system, its root session and its CAF actor system.
  system& sys() noexcept { return system_; }
  session root();
  caf::actor_system& caf() noexcept;

  /// Random numbers for the test's own use: a function of the seed, apart from the schedule.
  random_source& rng() noexcept { return rng_; }
  /// Lets others run 0 to 19 times, mostly 0 or 1 (after Zed's scheduler).
  async<void> yield_random();

  /// Lets one event happen, without moving the clock. @returns false if none is enabled.
  bool step();
  /// Lets events happen until none is enabled. The clock stands still: timers that are not due stay.
  void run_until_idle();
  /// Lets events happen, the clock jumping to the next timer when nothing else is enabled, until `done()` holds after
  /// an event. @returns whether it does; false if nothing is left to happen.
  bool run_until(const std::function<bool()>& done);
  /// Lets events happen, the clock jumping to the next timer when nothing else is enabled, until nothing is left to
  /// happen; beyond that only `max_steps` or a failure ends it.
  void run_until_rest();
  /// Lets `span` of virtual time pass: everything that is due happens in order of time.
  void run_for(platform::duration span);
  /// The same as run_for; the name the neighbours use.
  void advance(platform::duration span) { run_for(span); }
  platform::time_point now() const noexcept;

  /// Waits for a task, as `executor::block_on` does.
  template <class T>
  outcome<T> block_on(task<T> awaited) {
    return sys().background().block_on(std::move(awaited));
  }

  /// The node with this name, which exists from now on. @throws std::invalid_argument for an empty name
  troupe::node node(std::string_view name);
  /// What messages between two nodes meet, in both directions. @throws std::invalid_argument for an unknown node
  troupe::link link(std::string_view one, std::string_view other);
  /// The same for one direction.
  troupe::link one_way_link(std::string_view from, std::string_view to);
  /// What messages between any two nodes meet.
  troupe::link links();
  /// Faults never crash this actor by itself. @throws std::invalid_argument if no such actor lives
  void spare(const caf::actor& actor);

  /// Any number of [0, count), each a schedule of its own: a decision on the tape. @pre count > 0
  std::uint64_t choose(std::uint64_t count);
  /// Declares a source of input from outside of the run: a socket, a file, other threads. As long as it has more, the
  /// arrival of its next piece is an event that can happen at any time; `arrived` is called with it then, as if the
  /// test had done so. `read` is called for a piece when it arrives, and never if the run is replayed: the tape holds
  /// the pieces. Under a fuzzer its input holds them. A source that gives other pieces to the same seed makes
  /// `explore` say `nondeterminism`: record a run by `replay --seed --tape-out`. Sources end when the test's body
  /// returns. @param name For traces.
  void outside(std::string name, input_source read, std::function<void(const std::string&)> arrived);
  /// Whether sources are read in this run: to start only then what feeds them.
  bool is_live() const noexcept;
  /// Has `holds` called after each event from now on: false ends the run as failed.
  void invariant(std::string name, std::function<bool()> holds);

  /// Ends the run as failed. Callable from anywhere inside the run; the first failure counts.
  void fail(const std::string& what);
  /// `fail(what)` unless `holds`. @returns holds
  bool check(bool holds, const std::string& what) {
    if (!holds)
      fail(what);
    return holds;
  }
  /// For test frameworks whose checks fail without ending the run: the present event is where it went wrong.
  void suspect() noexcept;
  /// The simulator that runs on this thread, or null: for code that is shared with production.
  static simulator* current() noexcept;

  /// For `observe`: the run's monitor of this type.
  monitor& monitor_of(std::type_index type, std::unique_ptr<monitor> (*make)());

  /// For `expose_state`.
  void expose_state(const hosted_actor& actor, std::function<std::string()> read);

  /// For runners of scenarios.
  simulator(sim_engine& engine, system& sys);
  ~simulator();
  simulator(const simulator&) = delete;
  simulator& operator=(const simulator&) = delete;

  void check_at_rest();
  void end_outside() noexcept;
  /// What each monitor that is hot waits for.
  std::vector<std::string> awaited_by_monitors() const;
  sim_engine& engine() noexcept { return engine_; }

private:
  struct named_invariant {
    std::string name;
    std::function<bool()> holds;
  };
  struct watched_monitor {
    std::unique_ptr<monitor> what;
    std::optional<std::uint64_t> hot_since;
    std::uint64_t observations = 0;
  };
  void watch();
  /// @param each is hot.
  void check_temperature(const watched_monitor& each, std::uint64_t steps);
  void look_for_lasso(std::uint64_t steps);
  troupe::link link_between(std::string_view from, std::string_view to, bool both_ways);

  sim_engine& engine_;
  system& system_;
  random_source rng_;
  std::vector<std::unique_ptr<outside_events>> outside_;
  std::vector<named_invariant> invariants_;
  std::map<std::type_index, watched_monitor> monitors_;
  lasso_detector lassos_;
  std::uint64_t lasso_stretch_ = 0;   ///< The endless stretch that it is about, 0 for none.
  std::uint64_t lasso_hot_since_ = 0; ///< Of the monitor that has been hot for longest.
};

} // namespace troupe
