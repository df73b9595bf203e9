// Cleanup reports as text and as JSON.
#include "sessions/cleanup_report.hpp"
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

namespace troupe {
namespace {

double seconds(duration d) { return std::chrono::duration<double>(d).count(); }

std::string described(const std::string& id, const std::string& name) {
  return name.empty() ? id : id + " '" + name + "'";
}

void append(std::string& out, const survivor& s, const std::string& indent) {
  out += indent + to_string(s.kind) + " " + described(s.id, s.name) + ": " + s.state;
  if (!s.executor.empty())
    out += ", on " + s.executor;
  out += "\n";
  auto detail = [&](const char* what, const std::string& text) {
    if (!text.empty())
      out += indent + "  " + what + ": " + text + "\n";
  };
  detail("started at", s.spawned_at.empty() || s.parent.empty() ? s.spawned_at : s.spawned_at + " by " + s.parent);
  detail("age", to_text(s.age) +
                    (s.last_event.empty() ? "" : ", " + s.last_event + " " + to_text(s.since_last_event) + " ago"));
  detail("kept alive by", s.kept_alive_by);
  detail("verdict", to_string(s.verdict));
}

void append(std::string& out, const cleanup_report& r, const std::string& indent) {
  out += indent + "session " + r.path + ": " + to_string(r.final_state);
  if (r.final_state == session_state::closed)
    out += std::string{" "} + to_string(r.outcome);
  if (r.cause != close_cause::none)
    out += std::string{", cause "} + to_string(r.cause);
  out += "\n" + indent + "  phases:";
  for (auto& phase : r.phases)
    out += std::string{" "} + to_string(phase.state) + " " + to_text(phase.spent) +
           (&phase == &r.phases.back() ? "" : ",");
  auto& c = r.counters;
  out += "\n" + indent + "  tasks: " + std::to_string(c.spawned) + " spawned, " + std::to_string(c.ok) + " ok";
  auto count = [&](const char* what, std::uint64_t n) {
    if (n > 0)
      out += ", " + std::to_string(n) + " " + what;
  };
  count("failed", c.failed);
  count("cancelled", c.cancelled);
  count("rejected", c.rejected);
  count("abandoned", c.abandoned);
  count("late results dropped", c.stale);
  count("handed over", c.handed_over);
  count("taken over", c.taken_over);
  out += "\n";
  if (!r.first_error.empty())
    out += indent + "  first error: " + r.first_error + "\n";
  for (auto& error : r.further_errors)
    out += indent + "  further error: " + error + "\n";
  if (r.dropped_errors > 0)
    out += indent + "  and " + std::to_string(r.dropped_errors) + " more errors\n";
  if (!r.survivors.empty()) {
    out += indent + "  " + std::to_string(r.survivors.size()) +
           (r.survivors.size() == 1 ? " survivor:\n" : " survivors:\n");
    for (auto& s : r.survivors)
      append(out, s, indent + "    ");
  }
  if (r.children_closed > 0)
    out += indent + "  child sessions: " + std::to_string(r.children_closed) + " closed, " +
           std::to_string(r.children_dirty) + " dirty, " + std::to_string(r.children_failed) + " failed\n";
  for (auto& child : r.children)
    append(out, child, indent + "    ");
}

using json = nlohmann::ordered_json;

json as_json(const survivor& s) {
  return {{"kind", to_string(s.kind)},
          {"id", s.id},
          {"name", s.name},
          {"state", s.state},
          {"executor", s.executor},
          {"spawned_at", s.spawned_at},
          {"parent", s.parent},
          {"age", seconds(s.age)},
          {"last_event", s.last_event},
          {"since_last_event", seconds(s.since_last_event)},
          {"kept_alive_by", s.kept_alive_by},
          {"verdict", to_string(s.verdict)}};
}

json as_json(const cleanup_report& r) {
  json out = {{"session", to_string(r.id)},
              {"path", r.path},
              {"name", r.name},
              {"opened_at", r.opened_at},
              {"state", to_string(r.final_state)},
              {"outcome", to_string(r.outcome)},
              {"cause", to_string(r.cause)},
              {"first_error", r.first_error},
              {"further_errors", r.further_errors},
              {"dropped_errors", r.dropped_errors}};
  auto phases = json::array();
  for (auto& phase : r.phases)
    phases.push_back({{"state", to_string(phase.state)}, {"seconds", seconds(phase.spent)}});
  out["phases"] = std::move(phases);
  auto survivors = json::array();
  for (auto& s : r.survivors)
    survivors.push_back(as_json(s));
  out["survivors"] = std::move(survivors);
  auto& c = r.counters;
  out["counters"] = {{"spawned", c.spawned},      {"ok", c.ok},
                     {"failed", c.failed},        {"cancelled", c.cancelled},
                     {"rejected", c.rejected},    {"abandoned", c.abandoned},
                     {"stale", c.stale},          {"handed_over", c.handed_over},
                     {"taken_over", c.taken_over}};
  out["children_closed"] = r.children_closed;
  out["children_dirty"] = r.children_dirty;
  out["children_failed"] = r.children_failed;
  auto children = json::array();
  for (auto& child : r.children)
    children.push_back(as_json(child));
  out["children"] = std::move(children);
  return out;
}

} // namespace

std::string cleanup_report::to_text() const {
  std::string out;
  append(out, *this, "");
  return out;
}

// Labels and error texts are the user's and need not be UTF-8; a report is never lost for that.
std::string cleanup_report::to_json() const {
  return as_json(*this).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string to_text(const source_location& where) {
  std::string_view file = where.file_name();
  if (file.empty())
    return {};
  if (auto slash = file.rfind('/'); slash != std::string_view::npos)
    file.remove_prefix(slash + 1);
  std::string out{file};
  out += ":" + std::to_string(where.line());
  if (*where.function_name())
    out += std::string{" ("} + where.function_name() + ")";
  return out;
}

std::string to_text(duration d) {
  auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(d).count();
  char text[48];
  // Three digits, and never an exponent: 999.6 ms is 1e+03 ms to %.3g.
  auto print = [&](double value, const char* unit) {
    std::snprintf(text, sizeof text, value < 999.5 ? "%.3g %s" : "%.0f %s", value, unit);
  };
  if (ns >= 1'000'000'000)
    print(static_cast<double>(ns) / 1e9, "s");
  else if (ns >= 1'000'000)
    print(static_cast<double>(ns) / 1e6, "ms");
  else if (ns >= 1'000)
    print(static_cast<double>(ns) / 1e3, "us");
  else
    std::snprintf(text, sizeof text, "%lld ns", static_cast<long long>(ns));
  return text;
}

const char* to_string(survivor_kind kind) noexcept {
  switch (kind) {
  case survivor_kind::task:
    return "task";
  case survivor_kind::session:
    return "session";
  case survivor_kind::actor:
    return "actor";
  case survivor_kind::resource:
    return "resource";
  }
  return "?";
}

const char* to_string(survivor_verdict verdict) noexcept {
  switch (verdict) {
  case survivor_verdict::running:
    return "running";
  case survivor_verdict::waiting_turn:
    return "waiting_turn";
  case survivor_verdict::waiting_timer:
    return "waiting_timer";
  case survivor_verdict::waiting_reply:
    return "waiting_reply";
  case survivor_verdict::waiting_task:
    return "waiting_task";
  case survivor_verdict::waiting_session:
    return "waiting_session";
  case survivor_verdict::waiting_other:
    return "waiting_other";
  case survivor_verdict::never_completes:
    return "never_completes";
  case survivor_verdict::unreleased:
    return "unreleased";
  }
  return "?";
}

const char* to_string(session_state state) noexcept {
  switch (state) {
  case session_state::starting:
    return "starting";
  case session_state::open:
    return "open";
  case session_state::draining:
    return "draining";
  case session_state::grace:
    return "grace";
  case session_state::cancelling:
    return "cancelling";
  case session_state::killing:
    return "killing";
  case session_state::closed:
    return "closed";
  }
  return "?";
}

const char* to_string(close_outcome outcome) noexcept {
  switch (outcome) {
  case close_outcome::clean:
    return "clean";
  case close_outcome::dirty:
    return "dirty";
  case close_outcome::failed:
    return "failed";
  }
  return "?";
}

} // namespace troupe
