// A run as trace events, for ui.perfetto.dev and chrome://tracing.
#include "sim/trace_perfetto.hpp"
#include "sim/shown_events.hpp"
#include "sim/text.hpp"
#include <map>
#include <nlohmann/json.hpp>

namespace troupe {
namespace {

using nlohmann::ordered_json;

/// Microseconds per event, and how long each is drawn.
constexpr std::uint64_t pace = 10, length = 8;

class writer {
public:
  void add(const told_run& told, const std::string& name) {
    ++process_;
    meta("process_name", 0, name);
    meta("process_sort_index", 0, process_);
    std::map<std::string, std::uint64_t> threads;
    const auto events = shown_events(told);
    auto thread_of = [&](const std::string& actor) {
      auto [found, is_new] = threads.try_emplace(actor, threads.size() + 1);
      if (is_new) {
        meta("thread_name", found->second, actor);
        meta("thread_sort_index", found->second, found->second);
      }
      return found->second;
    };
    for (const auto& shown : events) {
      const auto& entry = told.result.trace[shown.number - 1];
      const auto at = shown.number * pace;
      const auto thread = thread_of(shown.to);
      auto slice = event("X", shown.label, at, thread);
      slice["cat"] = std::string(to_string(entry.kind)) + (shown.is_internal ? ",internal" : "");
      slice["dur"] = length;
      auto& arguments = slice["args"];
      arguments["number"] = shown.number;
      arguments["from"] = shown.from;
      arguments["virtual time"] = duration_text(entry.time);
      if (shown.cause != no_entry)
        arguments["cause"] = shown.cause + 1;
      if (!shown.what.empty())
        arguments["payload"] = shown.what;
      if (!entry.state.empty())
        arguments["state"] = entry.state;
      if (shown.marks.is_left_out)
        arguments["matters"] = false;
      events_.push_back(std::move(slice));
      if (entry.kind != event_kind::arrival && shown.cause != no_entry) {
        // A flow begins within the slice of its cause and ends in this one.
        const auto& cause = events[shown.cause];
        const auto id = ++flows_;
        events_.push_back(flow("s", id, cause.number * pace + 1, thread_of(cause.to)));
        events_.push_back(flow("f", id, at, thread));
      }
      if (shown.marks.is_racing)
        instant("racing pair", at, thread);
      if (shown.marks.is_failing)
        instant("failure", at, thread);
    }
  }

  ordered_json take() { return std::move(events_); }

private:
  ordered_json event(const char* phase, const std::string& name, std::uint64_t at, std::uint64_t thread) const {
    return {{"ph", phase}, {"name", name}, {"ts", at}, {"pid", process_}, {"tid", thread}};
  }
  void meta(const char* what, std::uint64_t thread, const std::string& name) {
    auto made = event("M", what, 0, thread);
    made["args"]["name"] = name;
    events_.push_back(std::move(made));
  }
  void meta(const char* what, std::uint64_t thread, std::uint64_t place) {
    auto made = event("M", what, 0, thread);
    made["args"]["sort_index"] = place;
    events_.push_back(std::move(made));
  }
  ordered_json flow(const char* phase, std::uint64_t id, std::uint64_t at, std::uint64_t thread) const {
    auto made = event(phase, "message", at, thread);
    made["cat"] = "message";
    made["id"] = id;
    if (*phase == 'f')
      made["bp"] = "e"; // bound to the slice that encloses it, not to the next one
    return made;
  }
  void instant(const char* name, std::uint64_t at, std::uint64_t thread) {
    auto made = event("i", name, at, thread);
    made["s"] = "t";
    events_.push_back(std::move(made));
  }

  ordered_json events_ = ordered_json::array();
  std::uint64_t process_ = 0;
  std::uint64_t flows_ = 0;
};

} // namespace

std::string to_perfetto(const explanation& explained, const report_facts& facts) {
  writer trace;
  const auto& result = explained.run.result;
  trace.add(explained.run, std::string(result.is_failure() ? "failing run" : "passing run") + " of " + facts.scenario);
  if (explained.is_race)
    trace.add(explained.passing, "passing run of " + facts.scenario);
  ordered_json object;
  object["traceEvents"] = trace.take();
  object["displayTimeUnit"] = "ns";
  object["otherData"] = {
      {"scenario", facts.scenario},       {"strategy", facts.strategy},       {"seed", facts.seed},
      {"model", to_string(result.model)}, {"verdict", to_string(result.end)}, {"message", result.message},
      {"race", explained.race},           {"lost_wakeup", explained.wakeup},  {"replay", facts.replay}};
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

} // namespace troupe
