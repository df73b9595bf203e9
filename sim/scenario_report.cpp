// What the command line of scenario programs prints, as text and as JSON.
#include "sim/scenario_report.hpp"
#include "sim/chart.hpp"
#include "sim/names.hpp"
#include "sim/text.hpp"
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace troupe {
namespace {

using nlohmann::ordered_json;

/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::string counted(std::uint64_t number, const char* one, const char* many) {
  return grouped(number) + " " + (number == 1 ? one : many);
}

std::string dumped(const ordered_json& object) {
  // Messages come from the program under test: they need not be UTF-8.
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string percentage(double share) {
  char text[32];
  std::snprintf(text, sizeof text, share < 0.01 ? "%.2g %%" : "%.1f %%", share * 100);
  return text;
}

/// Limits that are not the usual ones have to be said again.
std::string limits_text(const run_limits& limits) {
  const run_limits standard;
  std::string text;
  if (limits.step_timeout != standard.step_timeout)
    text += " --step-timeout " +
            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(limits.step_timeout).count());
  if (limits.memory_max != standard.memory_max)
    text += " --memory-max " + std::to_string(limits.memory_max >> 20);
  return text;
}

std::string tape_command(const std::string& typed, const scenario_command& command, const std::string& tape) {
  return shell_word(typed) + " replay " + shell_word(command.scenario) + " --tape " + shell_word(tape) +
         limits_text(command.limits);
}

/// The options that are not the default have to be said again.
std::string seed_command(const std::string& typed, const scenario_command& command, std::uint64_t seed) {
  auto text = shell_word(typed) + " replay " + shell_word(command.scenario) + " --seed " + std::to_string(seed);
  if (command.strategy != scenario_command{}.strategy)
    text += " --strategy " + shell_word(command.strategy);
  if (command.max_steps)
    text += " --max-steps " + std::to_string(*command.max_steps);
  if (command.model)
    text += std::string(" --model ") + to_string(*command.model);
  if (!command.faults.empty())
    text += " --faults " + command.faults;
  return text + limits_text(command.limits);
}

std::string shrinking_text(const shrink_result& shrunk) {
  return "shrunk from " + grouped(shrunk.deliveries_before) + " to " +
         counted(shrunk.deliveries_after, "delivery", "deliveries") + " (in " + counted(shrunk.runs, "run", "runs") +
         ")\n";
}

/// `number`: of the cause among several; 0 if there is one failure only.
std::string cause_text(const exploration_report& report, const failure_cause& cause, const cause_report& known,
                       std::size_t number) {
  const auto& command = report.command;
  std::string text = "\n";
  if (number != 0)
    text += std::to_string(number) + ". " + counted(cause.count, "failure", "failures") + "; ";
  text += "seed " + std::to_string(cause.seed) + " fails";
  text += known.shrunk ? ", " + shrinking_text(*known.shrunk) + "\n" : ":\n\n";
  text += (known.explained ? chart(*known.explained) : chart(cause.failure)) + "\n";
  if (!known.note.empty())
    text += "note:     " + known.note + "\n";
  if (!known.page.empty())
    text += "report:   " + known.page + "\n";
  if (known.tape)
    text +=
        "tape:     " + *known.tape + "\nreplay:   " + tape_command(report.typed, command, *known.tape) + "\nunshrunk: ";
  else
    text += "replay: ";
  return text + seed_command(report.typed, command, cause.seed) + "\n";
}

template <class T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

/// The racing pair by its numbers in the trace, null if there is none, and what the search for it says.
void add_race(ordered_json& object, const explanation* explained) {
  object["racing_pair"] = nullptr;
  object["race"] = explained ? explained->race : "";
  object["lost_wakeup"] = explained ? explained->wakeup : "";
  if (!explained || !explained->is_race)
    return;
  auto& pair = object["racing_pair"] = ordered_json::array();
  for (std::size_t i = 0; i < explained->run.marks.size(); ++i)
    if (explained->run.marks[i].is_racing)
      pair.push_back(i + 1);
}

ordered_json cause_json(const exploration_report& report, const failure_cause& cause, const cause_report& known) {
  ordered_json object;
  object["seed"] = cause.seed;
  object["failures"] = cause.count;
  object["verdict"] = to_string(cause.failure.end);
  object["message"] = cause.failure.message;
  object["note"] = known.note;
  object["tape"] = or_null(known.tape);
  object["replay"] = known.tape ? tape_command(report.typed, report.command, *known.tape)
                                : seed_command(report.typed, report.command, cause.seed);
  object["shrunk"] = nullptr;
  if (known.shrunk)
    object["shrunk"] = {{"deviations_before", known.shrunk->deviations_before},
                        {"deviations_after", known.shrunk->deviations_after},
                        {"deliveries", known.shrunk->run.deliveries},
                        {"runs", known.shrunk->runs}};
  object["report"] = known.page.empty() ? ordered_json(nullptr) : ordered_json(known.page);
  add_race(object, known.explained ? &*known.explained : nullptr);
  return object;
}

} // namespace

std::string to_text(const exploration_report& report) {
  const auto& found = report.found;
  const auto& command = report.command;
  auto text = command.scenario + ": " + counted(found.schedules, "schedule", "schedules") + " (" + command.strategy +
              ", from seed " + std::to_string(command.first_seed) +
              (command.checks_determinism ? ", each run twice" : "") + "), " +
              counted(found.failures, "failure", "failures") + ", " + counted(found.steps, "event", "events") + ", " +
              counted(found.distinct_traces, "distinct trace", "distinct traces") + ", " +
              grouped(static_cast<std::uint64_t>(std::llround(found.schedules_per_second))) + " schedules/s\n";
  if (found.is_proven)
    text += "proven: no schedule fails in the order model '" + std::string(to_string(report.options.model)) +
            (report.options.faults.total() != 0 ? "' and with the faults '" + to_text(report.options.faults) : "") +
            "' within " + counted(report.options.max_steps, "event", "events") +
            (command.strategy == "dpor" ? ", if tasks and actors share nothing but messages\n" : "\n");
  else if (found.is_inconclusive)
    text += "not proven, though no schedule is left to try: the program does not repeat itself, or (dpor on CAF 1 "
            "only) a fault has happened, which is not tried in all orders there; --strategy dfs does that\n";
  else if (found.covered && !found.failing_seed)
    text += "covered: " + percentage(*found.covered) + " of the schedules, as far as is known; --seeds allows more\n";
  if (found.failures > 1)
    text += "\n" + counted(found.causes.size(), "cause", "causes") + "\n";
  for (std::size_t i = 0; i < found.causes.size(); ++i)
    text += cause_text(report, found.causes[i], report.causes[i], found.failures > 1 ? i + 1 : 0);
  return text;
}

std::string to_json(const exploration_report& report) {
  const auto& found = report.found;
  const auto& command = report.command;
  ordered_json object;
  object["scenario"] = command.scenario;
  object["strategy"] = command.strategy;
  object["model"] = to_string(report.options.model);
  object["faults"] = to_text(report.options.faults);
  object["first_seed"] = command.first_seed;
  object["schedules"] = found.schedules;
  object["failures"] = found.failures;
  // How many schedules it took, and the seed of the last of them.
  object["first_failure"] =
      found.failing_seed ? ordered_json(*found.failing_seed - command.first_seed + 1) : ordered_json(nullptr);
  object["seed"] = or_null(found.failing_seed);
  object["steps"] = found.steps;
  object["distinct_traces"] = found.distinct_traces;
  object["seconds"] = found.seconds;
  object["schedules_per_second"] = found.schedules_per_second;
  object["covered"] = or_null(found.covered);
  object["proven"] = found.is_proven;
  object["inconclusive"] = found.is_inconclusive;
  object["check_determinism"] = command.checks_determinism;
  auto causes = ordered_json::array();
  for (std::size_t i = 0; i < found.causes.size(); ++i)
    causes.push_back(cause_json(report, found.causes[i], report.causes[i]));
  // The first one's again, for those who asked for one only.
  const auto first = causes.empty() ? ordered_json::object() : causes.front();
  object["verdict"] = first.value("verdict", to_string(verdict::ok));
  object["message"] = first.value("message", "");
  for (const char* name : {"tape", "replay", "shrunk", "report", "racing_pair", "race", "lost_wakeup"})
    object[name] = causes.empty() ? ordered_json(nullptr) : first[name];
  object["causes"] = std::move(causes);
  return dumped(object);
}

std::string to_text(const replay_report& report) {
  const auto& result = report.explained.run.result;
  std::string text;
  if (report.command.is_traced)
    text = trace_listing(result) + "\n";
  return text + (result.is_failure() ? chart(report.explained) : verdict_text(result));
}

std::string to_json(const replay_report& report) {
  const auto& result = report.explained.run.result;
  ordered_json object;
  object["scenario"] = report.command.scenario;
  object["strategy"] = report.strategy;
  object["model"] = to_string(report.options.model);
  object["faults"] = to_text(report.options.faults);
  object["seed"] = report.options.seed;
  object["tape"] = report.command.tape.empty() ? ordered_json(nullptr) : ordered_json(report.command.tape);
  object["verdict"] = to_string(result.end);
  object["failures"] = result.is_failure() ? 1 : 0;
  object["message"] = result.message;
  object["steps"] = result.steps;
  object["deliveries"] = result.deliveries;
  object["decisions"] = result.decisions.size();
  object["deviations"] = deviations(result.decisions);
  object["trace_hash"] = hex_text(result.trace_hash);
  object["outcome_hash"] = hex_text(result.outcome_hash);
  object["note"] = report.note;
  add_race(object, &report.explained);
  if (report.command.is_traced) {
    auto& events = object["trace"] = ordered_json::array();
    for (const auto& each : result.trace)
      events.push_back({{"kind", to_string(each.kind)},
                        {"from", each.from},
                        {"to", each.to},
                        {"what", each.what},
                        {"time_ns", std::chrono::duration_cast<std::chrono::nanoseconds>(each.time).count()},
                        {"internal", each.internal}});
  }
  return dumped(object);
}

std::string edit_note(const edited_replay& edited, const tape& recorded) {
  auto text = "the program has changed since: " + grouped(edited.known) + " of " +
              counted(recorded.order.events.size(), "recorded event", "recorded events") +
              " happened in their order, " + grouped(edited.missing) + " did not happen, " + grouped(edited.unknown) +
              " are new";
  constexpr std::size_t most = 5;
  for (std::size_t i = 0; i < std::min(edited.participants.size(), most); ++i)
    text += (i == 0 ? " (new: " : ", ") + edited.participants[i];
  if (edited.participants.size() > most)
    text += " and " + std::to_string(edited.participants.size() - most) + " more";
  if (!edited.participants.empty())
    text += ")";
  return text + (!edited.is_same_failure       ? "; it does not end as it did"
                 : recorded.end == verdict::ok ? "; it passes as it did"
                                               : "; it fails as it did");
}

std::string to_text(const shrink_report& report) {
  return report.command.scenario + ": " + shrinking_text(report.shrunk) + "\n" + chart(report.explained) +
         "\ntape:   " + report.command.out +
         "\nreplay: " + tape_command(report.typed, report.command, report.command.out) + "\n";
}

std::string to_json(const shrink_report& report) {
  const auto& shrunk = report.shrunk;
  ordered_json object;
  object["scenario"] = report.command.scenario;
  object["seed"] = shrunk.shortest.options.seed;
  object["verdict"] = to_string(shrunk.run.end);
  object["message"] = shrunk.run.message;
  object["deviations_before"] = shrunk.deviations_before;
  object["deviations_after"] = shrunk.deviations_after;
  object["deliveries"] = shrunk.run.deliveries;
  object["steps"] = shrunk.run.steps;
  object["runs"] = shrunk.runs;
  object["tape"] = report.command.out;
  object["replay"] = tape_command(report.typed, report.command, report.command.out);
  add_race(object, &report.explained);
  return dumped(object);
}

report_facts facts_of(const exploration_report& report, const failure_cause& cause, const cause_report& known) {
  const auto& command = report.command;
  return {command.scenario, command.strategy, cause.seed, known.tape.value_or(""),
          known.tape ? tape_command(report.typed, command, *known.tape)
                     : seed_command(report.typed, command, cause.seed)};
}

report_facts facts_of(const replay_report& report) {
  const auto& command = report.command;
  auto replay = !command.tape.empty()    ? tape_command(report.typed, command, command.tape)
                : !command.bytes.empty() ? shell_word(report.typed) + " replay " + shell_word(command.scenario) +
                                               " --bytes " + shell_word(command.bytes)
                                         : seed_command(report.typed, command, *command.seed);
  return {command.scenario, report.strategy, command.seed.value_or(report.options.seed), command.tape,
          std::move(replay)};
}

report_facts facts_of(const shrink_report& report) {
  const auto& command = report.command;
  return {command.scenario, report.shrunk.shortest.strategy, report.shrunk.shortest.options.seed, command.out,
          tape_command(report.typed, command, command.out)};
}

} // namespace troupe
