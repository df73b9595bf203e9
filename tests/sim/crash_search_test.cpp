// The optimal search and what crashes, is parted or ends: against every schedule of random programs.
#include "sim/explore.hpp"
#include "sim/node.hpp"
#include "sim/random_source.hpp"
#include "sim/strategies.hpp"
#include "tests/sim/all_schedules.hpp"
#include <algorithm>
#include <caf/all.hpp>

using namespace troupe;
using namespace troupe::testing;

namespace {

constexpr order_model all_models[] = {order_model::local, order_model::atomic, order_model::network,
                                      order_model::unordered};

/// Programs of a few actors that send each other numbers, and hear of each other's end: who gets a number, or such
/// news, does what belongs to it.
struct program_script {
  enum class verb { send, ask, monitor, demonitor, link, quit };
  struct effect {
    verb what = verb::send;
    std::size_t to = 0;
    int message = 0;
  };
  std::size_t actors = 0;
  bool is_on_nodes = false;
  std::vector<effect> first;
  std::vector<std::vector<effect>> of_message;

  program_script(std::uint64_t seed, bool has_nodes) : is_on_nodes(has_nodes) {
    random_source random(seed);
    actors = 2 + random.below(2);
    int messages = 0;
    const auto some_effect = [&](bool is_first) {
      constexpr verb verbs[] = {verb::send,    verb::send, verb::ask,       verb::monitor,
                                verb::monitor, verb::link, verb::demonitor, verb::quit};
      effect e;
      e.what = is_first ? verb::send : verbs[random.below(std::size(verbs))];
      e.to = random.below(actors);
      if (e.what == verb::send || e.what == verb::ask)
        e.message = messages++;
      return e;
    };
    for (auto i = 1 + random.below(has_nodes ? 2 : 3); i > 0; --i)
      first.push_back(some_effect(true));
    const int last = (has_nodes ? 2 : 3) + static_cast<int>(random.below(3));
    for (int m = 0; m < messages; ++m) {
      auto& effects = of_message.emplace_back();
      for (auto i = random.below(4); i > 0 && messages < last; --i)
        effects.push_back(some_effect(false));
      // Who begins and ceases to watch within one event is not seen to have watched.
      const bool watches = std::any_of(effects.begin(), effects.end(), [](auto& e) { return e.what == verb::monitor; });
      if (watches)
        std::erase_if(effects, [](auto& e) { return e.what == verb::demonitor; });
    }
  }
};

/// What an actor of a script knows. Its log is all that counts as the outcome.
struct member {
  const program_script* script;
  const std::vector<caf::actor>* all;
  std::vector<std::string>* logs;
  std::size_t number;

  void log(const std::string& what) const { (*logs)[number] += what; }

  void act(caf::event_based_actor* self, int message) const {
    using verb = program_script::verb;
    for (auto& each : script->of_message[static_cast<std::size_t>(message)]) {
      auto& to = (*all)[each.to];
      switch (each.what) {
      case verb::send:
        self->send(to, each.message);
        break;
      case verb::ask:
        self->request(to, caf::infinite, std::to_string(each.message))
            .then([me = *this](int value) { me.log("a" + std::to_string(value)); },
                  [me = *this](caf::error&) { me.log("e"); });
        break;
      case verb::monitor:
        self->monitor(to);
        break;
      case verb::demonitor:
        self->demonitor(to);
        break;
      case verb::link:
        if (each.to != number)
          self->link_to(to);
        break;
      case verb::quit:
        self->quit();
        break;
      }
    }
  }
};

caf::behavior act_as(caf::event_based_actor* self, member me) {
  self->set_down_handler([=](caf::down_msg& down) {
    for (std::size_t i = 0; i < me.all->size(); ++i)
      if ((*me.all)[i].address() == down.source)
        me.log("d" + std::to_string(i));
  });
  return {[=](int message) {
            me.log(std::to_string(message));
            me.act(self, message);
          },
          [=](const std::string& question) {
            me.log(question);
            me.act(self, std::stoi(question));
            return std::stoi(question);
          }};
}

std::string run(simulator& sim, const program_script& script) {
  std::vector<caf::actor> all;
  std::vector<std::string> logs(script.actors);
  for (std::size_t i = 0; i < script.actors; ++i) {
    const member me{&script, &all, &logs, i};
    if (script.is_on_nodes)
      all.push_back(sim.node(i % 2 == 0 ? "alpha" : "beta").spawn(act_as, me));
    else
      all.push_back(sim.caf().spawn(act_as, me));
  }
  for (auto& each : script.first)
    sim.caf().spawn([&, each](caf::event_based_actor* self) { self->send(all[each.to], each.message); });
  sim.run_until_idle();
  std::string result;
  for (auto& each : logs)
    result += each + '|';
  for (auto& each : all)
    caf::anon_send_exit(each, caf::exit_reason::kill);
  sim.run_until_idle();
  return result;
}

auto run_of(const program_script& script) {
  return [&script](simulator& sim) { return run(sim, script); };
}

} // namespace

TEST_CASE("dpor meets what dfs meets in random programs whose actors end, crash and are parted" *
          doctest::test_suite("slow")) {
  struct {
    fault_options faults;
    bool has_nodes;
    std::uint64_t programs; ///< From the first seeds on; not those with too many schedules for dfs.
  } const rows[] = {
      {{}, false, 60},
      {{.crash = 1}, false, 32},
      {{.crash = 2}, false, 20},
      {{.crash = 1}, true, 24},
      {{.node_crash = 1}, true, 24},
      {{.partition = 1, .parted_for = {}}, true, 24},
      {{.one_way = 1}, true, 24},
  };
  for (auto& row : rows) {
    std::uint64_t compared = 0, outcomes_met = 0, of_dfs = 0, of_dpor = 0;
    for (std::uint64_t seed = 0; seed < row.programs; ++seed)
      for (auto model : all_models) {
        const bool is_apart = model == order_model::network || model == order_model::unordered;
        if (row.has_nodes && !is_apart)
          continue;
        const program_script script(seed, row.has_nodes);
        const simulation_options options{.model = model, .faults = row.faults};
        INFO("seed ", seed, ", ", std::string(to_string(model)), ", faults: ", to_text(row.faults));
        const auto every = all_within<dfs_search>(run_of(script), options, row.has_nodes ? 1'100 : 400);
        if (!every)
          continue;
        const auto once = all_within<dpor_search>(run_of(script), options, every->schedules);
        REQUIRE(once);
        CHECK_MESSAGE(once->texts == every->texts, "dpor: ", joined(once->texts), "\ndfs: ", joined(every->texts));
        CHECK(once->blocked == 0);
        CHECK_FALSE(once->proves_nothing);
        ++compared;
        outcomes_met += once->texts.size();
        of_dfs += every->schedules;
        of_dpor += once->schedules;
      }
    INFO("faults: ", to_text(row.faults), "; ", compared, " programs");
    CHECK(compared >= 4);
    CHECK(outcomes_met >= compared);
    CHECK(of_dpor * 10 < of_dfs);
  }
}

TEST_CASE("where an actor was that has ended is the same place in all schedules") {
  for (std::uint64_t seed : {67, 93}) {
    const program_script script(seed, false);
    const simulation_options options{.model = order_model::atomic};
    const auto every = all_within<dfs_search>(run_of(script), options, 5'000),
               once = all_within<dpor_search>(run_of(script), options, 10);
    REQUIRE(every);
    REQUIRE(once);
    CHECK(once->texts == every->texts);
    CHECK(once->blocked == 0);
  }
}

TEST_CASE("dpor meets a partition before what others on the same node send, and after that") {
  const auto program = [](simulator& sim) {
    std::string seen;
    auto alpha = sim.node("alpha");
    auto receiver = sim.node("beta").spawn(note, &seen);
    for (int i = 1; i <= 2; ++i) {
      auto sender = alpha.spawn(
          [=](caf::event_based_actor* self) -> caf::behavior { return {[=](int) { self->send(receiver, i); }}; });
      sim.caf().spawn([=](caf::event_based_actor* self) { self->send(sender, 0); });
    }
    sim.run_until_idle();
    return seen;
  };
  for (auto& faults :
       {fault_options{.partition = 1, .parted_for = {}}, fault_options{.one_way = 1, .parted_for = {}}}) {
    const simulation_options options{.model = order_model::network, .faults = faults};
    CHECK(all_texts(program, options) == joined({"", "1", "12", "2", "21"}));
  }
}
