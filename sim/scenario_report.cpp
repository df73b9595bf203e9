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

std::string tape_command(const std::string& typed, const std::string& scenario, const std::string& tape) {
  return shell_word(typed) + " replay " + shell_word(scenario) + " --tape " + shell_word(tape);
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
  return text;
}

std::string shrinking_text(const shrink_result& shrunk) {
  return "shrunk from " + counted(shrunk.deviations_before, "decision", "decisions") + " out of turn to " +
         grouped(shrunk.deviations_after) + " (in " + counted(shrunk.runs, "run", "runs") + ")\n";
}

template <class T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

} // namespace

std::string to_text(const exploration_report& report) {
  const auto& found = report.found;
  const auto& command = report.command;
  auto text = command.scenario + ": " + counted(found.schedules, "schedule", "schedules") + " (" + command.strategy +
              ", from seed " + std::to_string(command.first_seed) + "), " +
              counted(found.failures, "failure", "failures") + ", " + counted(found.steps, "event", "events") + ", " +
              counted(found.distinct_traces, "distinct trace", "distinct traces") + ", " +
              grouped(static_cast<std::uint64_t>(std::llround(found.schedules_per_second))) + " schedules/s\n";
  if (found.is_proven)
    text += "proven: no schedule fails in the order model '" + std::string(to_string(report.options.model)) +
            "' within " + counted(report.options.max_steps, "event", "events") +
            (command.strategy == "dpor" ? ", if tasks and actors share nothing but messages\n" : "\n");
  else if (found.covered && !found.failing_seed)
    text += "covered: " + percentage(*found.covered) + " of the schedules, as far as is known; --seeds allows more\n";
  if (!found.failing_seed)
    return text;
  text += "\nseed " + std::to_string(*found.failing_seed) + " fails";
  text += report.shrunk ? ", " + shrinking_text(*report.shrunk) + "\n" : ":\n\n";
  text += chart(report.shrunk ? report.shrunk->run : found.failure);
  text += "\n";
  if (report.tape)
    text += "tape:     " + *report.tape + "\nreplay:   " + tape_command(report.typed, command.scenario, *report.tape) +
            "\nunshrunk: ";
  else
    text += "replay: ";
  return text + seed_command(report.typed, command, *found.failing_seed) + "\n";
}

std::string to_json(const exploration_report& report) {
  const auto& found = report.found;
  const auto& command = report.command;
  ordered_json object;
  object["scenario"] = command.scenario;
  object["strategy"] = command.strategy;
  object["model"] = to_string(report.options.model);
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
  object["tape"] = or_null(report.tape);
  object["verdict"] = to_string(found.failing_seed ? found.failure.end : verdict::ok);
  object["message"] = found.failure.message;
  object["replay"] = nullptr;
  if (found.failing_seed)
    object["replay"] = report.tape ? tape_command(report.typed, command.scenario, *report.tape)
                                   : seed_command(report.typed, command, *found.failing_seed);
  object["shrunk"] = nullptr;
  if (report.shrunk)
    object["shrunk"] = {{"deviations_before", report.shrunk->deviations_before},
                        {"deviations_after", report.shrunk->deviations_after},
                        {"deliveries", report.shrunk->run.deliveries},
                        {"runs", report.shrunk->runs}};
  return dumped(object);
}

std::string to_text(const replay_report& report) {
  const auto& result = report.result;
  std::string text;
  if (report.command.is_traced)
    text = trace_listing(result) + "\n";
  return text + (result.is_failure() ? chart(result) : verdict_text(result));
}

std::string to_json(const replay_report& report) {
  const auto& result = report.result;
  ordered_json object;
  object["scenario"] = report.command.scenario;
  object["strategy"] = report.strategy;
  object["model"] = to_string(report.options.model);
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

std::string to_text(const shrink_report& report) {
  return report.command.scenario + ": " + shrinking_text(report.shrunk) + "\n" + chart(report.shrunk.run) +
         "\ntape:   " + report.command.out +
         "\nreplay: " + tape_command(report.typed, report.command.scenario, report.command.out) + "\n";
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
  object["replay"] = tape_command(report.typed, report.command.scenario, report.command.out);
  return dumped(object);
}

} // namespace troupe
