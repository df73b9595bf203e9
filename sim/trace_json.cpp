// A run as JSON lines.
#include "sim/trace_json.hpp"
#include "sim/shown_events.hpp"
#include "sim/text.hpp"
#include <nlohmann/json.hpp>

namespace troupe {
namespace {

using nlohmann::ordered_json;

std::string line(const ordered_json& object) {
  // Messages come from the program under test: they need not be UTF-8.
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string lines(const told_run& told, const char* run) {
  std::string text;
  for (const auto& shown : shown_events(told)) {
    const auto& entry = told.result.trace[shown.number - 1];
    ordered_json object;
    object["type"] = "event";
    object["run"] = run;
    object["number"] = shown.number;
    object["kind"] = to_string(entry.kind);
    object["identity"] = hex_text(entry.identity);
    object["parent"] = hex_text(entry.parent);
    object["cause"] = shown.cause == no_entry ? ordered_json(nullptr) : ordered_json(shown.cause + 1);
    object["from"] = shown.from;
    object["to"] = shown.to;
    object["label"] = shown.label;
    object["what"] = shown.what;
    object["time_ns"] = std::chrono::duration_cast<std::chrono::nanoseconds>(entry.time).count();
    object["state"] = entry.state;
    object["internal"] = shown.is_internal;
    object["matters"] = !shown.marks.is_left_out;
    object["out_of_turn"] = shown.marks.is_out_of_turn;
    object["failing"] = shown.marks.is_failing;
    object["racing"] = shown.marks.is_racing;
    text += line(object);
  }
  return text;
}

} // namespace

std::string to_json_lines(const explanation& explained, const report_facts& facts) {
  const auto& result = explained.run.result;
  ordered_json head;
  head["type"] = "report";
  head["scenario"] = facts.scenario;
  head["strategy"] = facts.strategy;
  head["seed"] = facts.seed;
  head["model"] = to_string(result.model);
  head["verdict"] = to_string(result.end);
  head["message"] = result.message;
  head["race"] = explained.race;
  head["lost_wakeup"] = explained.wakeup;
  head["replay"] = facts.replay;
  head["events"] = result.trace.size();
  auto text = line(head) + lines(explained.run, result.is_failure() ? "failing" : "passing");
  if (explained.is_race)
    text += lines(explained.passing, "passing");
  return text;
}

} // namespace troupe
