// One simulated run: a fresh system on the engine, the test, the audit of its root session, and the verdict.
#include "sim/simulator.hpp"
#include "sim/engine.hpp"
#include "sim/outside_events.hpp"
#include "sim/random_strategy.hpp"
#include "sim/scenario.hpp"
#include "sim/seed_test.hpp"
#include <algorithm>
#include <cstdio>

namespace troupe {
namespace {

thread_local simulator* running = nullptr;

system_options options_for(sim_engine& engine) {
  system_options options;
  options.host.router = &engine;
  options.log = [&engine](const std::string& line) {
    if (engine.options().log_operations)
      std::fprintf(stderr, "%s\n", line.c_str());
  };
  options.bug = [&engine](const std::string& what) { engine.fail(verdict::failed, what); };
  options.on_session_closed = [&engine](const session& closed) {
    auto outcome = closed.outcome();
    if (outcome == close_outcome::dirty)
      engine.fail(verdict::dangling, closed.report().to_text());
    else if (outcome == close_outcome::failed && engine.options().fail_on_failed_session)
      engine.fail(verdict::exception, closed.report().to_text());
  };
  return options;
}

/// What else is worth knowing of a run that nothing goes on in.
std::string further_waits(const sim_engine& engine, const simulator& sim) {
  auto text = engine.awaited_in_vain();
  for (auto& what : sim.awaited_by_monitors())
    text += "a monitor awaits: " + what + "\n";
  return text;
}

bool has_what_never_completes(const cleanup_report& report) {
  return std::any_of(report.survivors.begin(), report.survivors.end(),
                     [](auto& each) { return each.verdict == survivor_verdict::never_completes; }) ||
         std::any_of(report.children.begin(), report.children.end(), has_what_never_completes);
}

/// Closes the root session in virtual time. What is left when nothing can happen any more never completes.
void audit(sim_engine& engine, system& sys, const simulator& sim) {
  auto closed = sys.root().close();
  engine.run_to(engine.now());
  std::uint64_t waits = 0;
  while (!closed.is_ready() && !engine.is_over()) {
    if (engine.step())
      continue;
    if (engine.is_over())
      return;
    if (engine.only_housekeeping_left()) {
      engine.fail(verdict::deadlock, "nothing can happen any more, but there is unsettled work:\n" +
                                         sys.root().report_at_quiescence().to_text() + further_waits(engine, sim));
      return;
    }
    // Others may go on for ever. Looked at each time that the clock has doubled its ticks, as reports cost.
    if (++waits; (waits & (waits - 1)) == 0)
      if (auto report = sys.root().report(); has_what_never_completes(report)) {
        engine.fail(verdict::deadlock, "whatever else happens, some of this never completes:\n" + report.to_text() +
                                           further_waits(engine, sim));
        return;
      }
    engine.advance_to_next_timer();
  }
}

/// In a narrower order model than the chosen one nothing might be between nodes.
bool needs_links(const simulation_options& options) {
  const auto& given = options.faults;
  return (options.model == order_model::network || options.model == order_model::unordered) &&
         given.drop + given.duplicate + given.delay != 0;
}

} // namespace

run_result run_scenario(const std::function<void(simulator&)>& body, const simulation_options& options,
                        strategy& order) {
  auto chosen = options;
  if (!needs_links(options))
    chosen.model = order.wanted_model().value_or(options.model);
  order.begins(chosen.model);
  sim_engine engine{chosen, order};
  engine.result().model = chosen.model;
  {
    system sys{engine, options_for(engine)};
    simulator sim{engine, sys};
    engine.watch_threads_of(sys.caf());
    engine.use_executors([&sys] { return sys.busy_executors(); });
    auto* outer = std::exchange(running, &sim);
    try {
      body(sim);
    } catch (const run_is_over&) { // It has said already why.
    } catch (const std::exception& error) {
      engine.fail(verdict::exception, std::string{"the test threw: "} + error.what());
    } catch (...) {
      engine.fail(verdict::exception, "the test threw something that is not a std::exception");
    }
    sim.end_outside();
    engine.stop_faults();
    if (!engine.is_over())
      audit(engine, sys, sim);
    sim.check_at_rest();
    if (chosen.model == options.model)
      engine.check_faults();
    if (order.wants_state())
      order.state_is(engine.state_hash(sim_engine::state_detail::coarse));
    order.ended(engine.result());
    engine.begin_teardown();
    sys.shutdown(platform::duration::zero());
    engine.end_all();
    running = outer;
  }
  return std::move(engine.result());
}

simulator::simulator(sim_engine& engine, system& sys)
    : engine_(engine), system_(sys), rng_(mix(engine.options().seed, 0x746573740aull)) {}

simulator::~simulator() = default;

void simulator::outside(std::string name, input_source read, std::function<void(const std::string&)> arrived) {
  outside_.push_back(std::make_unique<outside_events>(engine_, std::move(name), std::move(read), std::move(arrived)));
}

bool simulator::is_live() const noexcept { return engine_.is_live(); }

void simulator::end_outside() noexcept {
  for (auto& each : outside_)
    each->end();
}

simulator* simulator::current() noexcept { return running; }

run_result simulator::once(std::uint64_t seed, const test& body, simulation_options options) {
  options.seed = seed;
  random_strategy order{seed};
  return run_scenario(body, options, order);
}

run_result simulator::many(std::uint64_t count, const test& body, simulation_options options) {
  std::string error;
  auto seeds = seeds_from_environment({options.seed, count}, error);
  run_result last;
  if (!seeds) {
    last.end = verdict::failed;
    last.message = error;
    return last;
  }
  for (std::uint64_t i = 0; i < seeds->count; ++i) {
    auto seed = seeds->first + i;
    last = once(seed, body, options);
    if (last.is_failure()) {
      std::fprintf(stderr, "Failing seed: %llu (%s: %s)\nRepeat it with SEED=%llu ITERATIONS=1\n",
                   static_cast<unsigned long long>(seed), to_string(last.end), last.message.c_str(),
                   static_cast<unsigned long long>(seed));
      return last;
    }
  }
  return last;
}

caf::actor_system& simulator::caf() noexcept { return system_.caf(); }

std::uint64_t simulator::choose(std::uint64_t count) {
  auto value = engine_.choose(count);
  if (lasso_stretch_ != 0)
    lassos_.chose(engine_.present_place(), count, value, engine_.result().steps);
  return value;
}

void simulator::invariant(std::string name, std::function<bool()> holds) {
  invariants_.push_back({std::move(name), std::move(holds)});
  watch();
}

monitor& simulator::monitor_of(std::type_index type, std::unique_ptr<monitor> (*make)()) {
  engine_.observed();
  auto& slot = monitors_[type];
  if (!slot.what) {
    slot.what = make();
    watch();
  }
  ++slot.observations;
  return *slot.what;
}

void simulator::expose_state(const hosted_actor& actor, std::function<std::string()> read) {
  engine_.expose_state(actor, std::move(read));
}

void simulator::watch() {
  engine_.watch([this](std::uint64_t steps) {
    for (auto& each : invariants_)
      if (!each.holds())
        engine_.fail(verdict::invariant, "the invariant '" + each.name + "' does not hold any more");
    for (auto& [type, each] : monitors_) {
      if (!each.what->is_hot()) {
        each.hot_since.reset();
        continue;
      }
      if (!each.hot_since)
        each.hot_since = steps;
      check_temperature(each, steps);
    }
    look_for_lasso(steps);
  });
}

void simulator::check_temperature(const watched_monitor& each, std::uint64_t steps) {
  const auto limit = engine_.options().temperature_max;
  if (limit == 0)
    return;
  // Before that a strategy may have been in charge that lets some wait for ever.
  const auto since = std::max(*each.hot_since, engine_.fair_after());
  if (steps >= since + limit)
    engine_.fail(verdict::liveness, "awaited for " + std::to_string(limit) + " events: " + each.what->awaited());
}

void simulator::look_for_lasso(std::uint64_t steps) {
  constexpr std::uint64_t patience = 100; // most of what is awaited comes sooner, and costs nothing then
  std::uint64_t specification = 0;
  const watched_monitor* hot = nullptr;
  for (auto& [type, each] : monitors_) {
    if (each.what->is_hot() && steps - *each.hot_since >= patience && (!hot || each.hot_since < hot->hot_since))
      hot = &each;
    // What a monitor has been told is a part of the state, unless it says what it makes of it.
    auto state = each.what->state();
    specification =
        mix(specification, mix(hash_of_text(each.what->awaited()), state ? hash_of_text(*state) : each.observations));
  }
  auto stretch =
      hot && !engine_.options().randomize_delays && engine_.has_whole_state() ? engine_.endless_stretch() : 0;
  if (stretch != lasso_stretch_ || (hot && *hot->hot_since != lasso_hot_since_)) {
    lassos_.clear();
    lasso_stretch_ = stretch;
    lasso_hot_since_ = hot ? *hot->hot_since : 0;
    if (stretch != 0)
      engine_.read_states();
  }
  if (stretch == 0)
    return;
  auto random = rng_; // the next number stands for its state
  specification = mix(specification, random());
  auto found = lassos_.after({.state = mix(engine_.state_hash(sim_engine::state_detail::exact), specification),
                              .step = steps,
                              .time = static_cast<std::uint64_t>(engine_.now().time_since_epoch().count()),
                              .oldest_since = engine_.oldest_enabled_since(),
                              .awaits_time = engine_.awaits_time(),
                              .handled = engine_.take_last_handled()});
  if (found)
    engine_.fail(verdict::liveness, "awaited for ever: " + hot->what->awaited() + "\n" + found->to_text());
}

std::vector<std::string> simulator::awaited_by_monitors() const {
  std::vector<std::string> result;
  for (auto& [type, each] : monitors_)
    if (each.what->is_hot())
      result.push_back(each.what->awaited());
  return result;
}

void simulator::check_at_rest() {
  if (engine_.is_over())
    return;
  if (auto waits = engine_.awaited_in_vain(); !waits.empty()) {
    engine_.fail(verdict::deadlock, "nothing can happen any more, but\n" + further_waits(engine_, *this));
    return;
  }
  for (auto& [type, each] : monitors_)
    if (each.what->is_hot())
      engine_.fail(verdict::liveness, "awaited when the run came to rest: " + each.what->awaited());
}

troupe::node simulator::node(std::string_view name) { return {engine_, caf(), engine_.use_network().node_named(name)}; }

troupe::link simulator::link_between(std::string_view from, std::string_view to, bool both_ways) {
  auto& net = engine_.use_network();
  if (from == to)
    throw std::invalid_argument("a link is between two nodes, not from \"" + std::string(from) + "\" to itself");
  return {engine_, net.known_node(from), net.known_node(to), both_ways};
}

troupe::link simulator::link(std::string_view one, std::string_view other) { return link_between(one, other, true); }

troupe::link simulator::one_way_link(std::string_view from, std::string_view to) {
  return link_between(from, to, false);
}

troupe::link simulator::links() {
  engine_.use_network();
  return {engine_, 0, 0, true};
}

void simulator::spare(const caf::actor& actor) {
  if (!engine_.spare(actor.id()))
    throw std::invalid_argument("no such actor lives here: spare it after it was spawned, by its own handle");
}

session simulator::root() { return system_.root(); }

async<void> simulator::yield_random() {
  auto turns = rng_.chance(9, 10) ? rng_.below(2) : 10 + rng_.below(10);
  while (turns-- > 0)
    co_await yield();
}

bool simulator::step() {
  engine_.pump_frames();
  return engine_.step();
}

void simulator::run_until_idle() {
  engine_.begin_endless_stretch();
  while (step()) {
  }
  engine_.end_endless_stretch();
}

void simulator::run_until_rest() {
  engine_.begin_endless_stretch();
  while (step() || engine_.advance_to_next_timer()) {
  }
  engine_.end_endless_stretch();
}

bool simulator::run_until(const std::function<bool()>& done) {
  while (!done())
    if (!step() && !engine_.advance_to_next_timer())
      return done();
  return true;
}

void simulator::run_for(platform::duration span) { engine_.run_to(engine_.now() + span); }

platform::time_point simulator::now() const noexcept { return engine_.now(); }

void simulator::suspect() noexcept { engine_.suspect(); }

void simulator::fail(const std::string& what) { engine_.fail(verdict::failed, what); }

} // namespace troupe
