// Reports in their formats: what others read of them is there and well-formed.
#include "sim/report.hpp"
#include "sim/report_html.hpp"
#include "sim/trace_json.hpp"
#include "sim/trace_perfetto.hpp"
#include "tests/sim/programs/told_runs.hpp"
#include <doctest/doctest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

using namespace troupe;
using nlohmann::json;
using testing::told_facts;
using testing::told_oversell;

namespace {

std::vector<json> parsed_lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<json> result;
  for (std::string line; std::getline(in, line);)
    result.push_back(json::parse(line));
  return result;
}

/// The data inside a page.
json data_of(const std::string& page) {
  const std::string open = "<script type=\"application/json\" id=\"data\">";
  const auto begin = page.find(open);
  REQUIRE(begin != page.npos);
  const auto end = page.find("</script>", begin);
  return json::parse(page.substr(begin + open.size(), end - begin - open.size()));
}

} // namespace

TEST_CASE("a report's format follows from its name or is given by name") {
  CHECK(report_format_of_file("a/b.html") == report_format::html);
  CHECK(report_format_of_file("b.jsonl") == report_format::jsonl);
  CHECK(report_format_of_file("b.json") == report_format::perfetto);
  CHECK(report_format_of_file("b.txt") == report_format::text);
  CHECK_FALSE(report_format_of_file("b.htm").has_value());
  CHECK_FALSE(report_format_of_file("html").has_value());
  for (auto format : {report_format::text, report_format::jsonl, report_format::perfetto, report_format::html})
    CHECK(report_format_named(to_string(format)) == format);
  CHECK_FALSE(report_format_named("HTML").has_value());
}

TEST_CASE("JSON lines: a head, then every event of both runs with what is known of it") {
  const auto told = told_oversell();
  const auto lines = parsed_lines(to_json_lines(told, told_facts()));
  REQUIRE(lines.size() == 1 + told.run.result.trace.size() + told.passing.result.trace.size());
  CHECK(lines[0]["type"] == "report");
  CHECK(lines[0]["verdict"] == "failed");
  CHECK(lines[0]["seed"] == 17);
  CHECK(lines[0]["race"] == told.race);
  CHECK(lines[0]["lost_wakeup"] == told.wakeup);
  std::size_t racing = 0, failing = 0, left_out = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto& event = lines[i];
    for (const char* name : {"type", "run", "number", "kind", "identity", "parent", "cause", "from", "to", "label",
                             "what", "time_ns", "state", "internal", "matters", "out_of_turn", "failing", "racing"})
      CHECK(event.contains(name));
    CHECK(event["type"] == "event");
    if (event["run"] != "failing")
      continue;
    CHECK(event["number"] == i);
    racing += event["racing"].get<bool>();
    failing += event["failing"].get<bool>();
    left_out += !event["matters"].get<bool>();
  }
  CHECK(racing == 2);
  CHECK(failing == 1);
  CHECK(left_out == 1);
  CHECK(lines[6]["label"] == "reserve(1)");
  CHECK(lines[6]["state"] == "left: 0");
  CHECK(lines[6]["cause"] == 1);
}

TEST_CASE("a Perfetto trace has what the trace event format asks for") {
  const auto told = told_oversell();
  const auto object = json::parse(to_perfetto(told, told_facts()));
  const auto& events = object["traceEvents"];
  REQUIRE(events.is_array());
  std::map<std::uint64_t, std::set<std::string>> flows;
  std::map<std::pair<int, int>, std::string> threads;
  std::map<int, std::string> processes;
  std::map<std::pair<int, int>, std::vector<std::pair<double, double>>> slices;
  std::size_t racing = 0;
  for (const auto& event : events) {
    for (const char* name : {"ph", "name", "ts", "pid", "tid"})
      REQUIRE(event.contains(name));
    const std::string phase = event["ph"];
    const auto thread = std::pair(event["pid"].get<int>(), event["tid"].get<int>());
    if (phase == "M" && event["name"] == "thread_name")
      threads[thread] = event["args"]["name"];
    if (phase == "M" && event["name"] == "process_name")
      processes[thread.first] = event["args"]["name"];
    if (phase == "X") {
      REQUIRE(event["dur"].get<double>() > 0);
      slices[thread].emplace_back(event["ts"], event["dur"]);
    }
    racing += phase == "i" && event["name"] == "racing pair" ? 1 : 0;
  }
  for (const auto& event : events) {
    const std::string phase = event["ph"];
    const auto thread = std::pair(event["pid"].get<int>(), event["tid"].get<int>());
    if (phase == "M")
      continue;
    CHECK(threads.count(thread) == 1);
    if (phase != "s" && phase != "f")
      continue;
    flows[event["id"]].insert(phase);
    // A flow is drawn only if both its ends lie within slices.
    const double at = event["ts"];
    const auto& around = slices[thread];
    CHECK(std::any_of(around.begin(), around.end(),
                      [at](const auto& slice) { return slice.first <= at && at < slice.first + slice.second; }));
  }
  for (const auto& [id, phases] : flows)
    CHECK(phases == std::set<std::string>{"s", "f"});
  CHECK_FALSE(flows.empty());
  CHECK(processes.size() == 2);
  CHECK(racing == 4);
  std::size_t of_slices = 0;
  for (const auto& [thread, all] : slices)
    of_slices += all.size();
  CHECK(of_slices == told.run.result.trace.size() + told.passing.result.trace.size());
}

TEST_CASE("a page holds its data whatever the messages are, and refers to nothing outside") {
  auto told = told_oversell();
  told.run.result.message = "</script><script>alert(1)</script><!-- \xff";
  told.run.result.trace[0].what = "</script>";
  const auto page = to_html(told, told_facts());
  const auto data = data_of(page);
  CHECK(data["message"].get<std::string>().find("</script><script>alert(1)</script><!-- ") == 0);
  CHECK(data["runs"].size() == 2);
  CHECK(data["runs"][0]["events"].size() == told.run.result.trace.size());
  CHECK(page.find("alert(1)</script>") == page.npos);
  CHECK(page.find("@DATA@") == page.npos);
  for (const char* outside : {"http://", "https://", "src=", "@import", "fetch("})
    CHECK(page.find(outside) == page.npos);
}

TEST_CASE("a report of a run that passes has one run") {
  explanation told;
  told.run.result = told_oversell().passing.result;
  told.run.marks.resize(told.run.result.trace.size());
  CHECK(data_of(to_html(told, told_facts()))["runs"].size() == 1);
  CHECK(parsed_lines(to_json_lines(told, told_facts()))[1]["run"] == "passing");
  CHECK(to_report(report_format::text, told, told_facts()).find("\nok: ") != std::string::npos);
}
