// The sequence chart: drawn exactly, then its promises for large and odd runs.
#include "sim/chart.hpp"
#include "sim/text.hpp"
#include <doctest/doctest.h>
#include <sstream>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

run_result oversold() {
  run_result r;
  r.end = verdict::failed;
  r.message = "oversold: -1 left\nfirst order: s1";
  r.trace = {
      {1, 0, event_kind::step, "test", "s1.t1 'order'", "order", false, {}},
      {2, 0, event_kind::step, "test", "s2.t2 'order'", "order", false, {}},
      {3, 1, event_kind::arrival, "s1.t1 'order'", "stock#4", "read", false, {}},
      {9, 1, event_kind::handle, "root", "supervisor#1", "spawned", true, {}},
      {4, 2, event_kind::arrival, "s2.t2 'order'", "stock#4", "read", false, {}},
      {3, 1, event_kind::handle, "s1.t1 'order'", "stock#4", "read", false, 1ms},
      {4, 2, event_kind::handle, "s2.t2 'order'", "stock#4", "read", false, 1ms},
      {5, 3, event_kind::step, "stock#4", "s1.t1 'order'", "1 left", false, 1ms},
      {6, 2, event_kind::timer, "", "s2.t2 'order'", "", false, 20ms},
      {7, 4, event_kind::handle, "stock#4", "stock#4", "audit", false, 20ms},
  };
  r.failing_event = 7;
  r.decisions = {{decision_kind::event, 0, 2, 1}, {decision_kind::event, 1, 3, 4}, {decision_kind::delay, 2, 4, 2}};
  return r;
}

std::vector<std::string> lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> result;
  for (std::string line; std::getline(in, line);)
    result.push_back(line);
  return result;
}

run_result crowd(int participants, int events) {
  run_result r;
  r.end = verdict::deadlock;
  r.message = "2 tasks never complete";
  for (int i = 0; i < events; ++i)
    r.trace.push_back({static_cast<std::uint64_t>(i),
                       0,
                       event_kind::handle,
                       "a rather long name#" + std::to_string(i % participants),
                       "a rather long name#" + std::to_string((i + 1) % participants),
                       "a message with quite a few arguments, " + std::to_string(i),
                       false,
                       {}});
  return r;
}

} // namespace

TEST_CASE("a failing run is drawn as a sequence chart") {
  const std::string expected = R"(                   test        s1.t1 'order'   s2.t2 'order'      stock#4
      time           │               │               │               │
   1  0              ├─── starts ───▶│               │               │
   2  0              ├─────────── starts ───────────▶│               │
   6  1 ms           │               ├──────────── read ────────────▶│
*  7  1 ms           │               │               ├──── read ────▶│
   8  1 ms           │               │◀────────── 1 left ────────────┤
   9  20 ms          │               │               ● timer         │
✗ 10  20 ms          │               │               │               ● audit
* out of turn: an event that was enabled earlier had to wait
✗ failed: oversold: -1 left
  first order: s1
)";
  CHECK(chart(oversold()) == expected);
}

TEST_CASE("internal traffic and arrivals are hidden") {
  const auto text = chart(oversold());
  CHECK(text.find("supervisor") == text.npos);
  CHECK(lines(text).size() == 2 + 7 + 1 + 2); // head, rows, legend, verdict
}

TEST_CASE("messages read as calls, and steps say whether they begin, go on or were waited for") {
  run_result r;
  r.trace = {
      {1, 0, event_kind::handle, "a", "b", "('reserve', 2, \"x\")", false, {}},
      {2, 0, event_kind::handle, "a", "b", "('read')", false, {}},
      {3, 0, event_kind::handle, "a", "b", "(order{1})", false, {}},
      {4, 0, event_kind::handle, "a", "b", "()", false, {}},
      {5, 0, event_kind::step, "test", "s1.t1 'buy'", "buy", false, {}},
      {6, 0, event_kind::step, "s1.t1 'buy'", "s1.t1 'buy'", "buy", false, {}},
      {7, 0, event_kind::step, "b", "s1.t1 'buy'", "buy", false, {}},
  };
  const auto text = chart(r);
  INFO(text);
  for (const char* label : {" reserve(2, \"x\") ", " read ", " order{1} ", " () ", " starts ", " goes on", " resumes "})
    CHECK(text.find(label) != text.npos);
  CHECK(text.find(" buy ") == text.npos);
}

TEST_CASE("an event comes from where its cause happened, whoever has taken that place since") {
  run_result r;
  r.trace = {
      {1, 0, event_kind::step, "test", "sender", "", false, {}},
      {2, 1, event_kind::handle, "somebody else", "receiver", "(1)", false, {}},
      {3, 2, event_kind::step, "", "sender", "", false, {}},
  };
  INFO(chart(r));
  CHECK(chart(r).find("somebody else") == std::string::npos);
  CHECK(chart(r).find("├───── 1 ────▶│") != std::string::npos);
  CHECK(chart(r).find("│◀─ resumes ──┤") != std::string::npos);
}

TEST_CASE("what Troupe's own actors send is hidden") {
  run_result r;
  r.trace = {
      {1, 0, event_kind::handle, "a", "supervisor#1", "spawned", true, {}},
      {2, 0, event_kind::handle, "supervisor#1", "a", "exit_msg", false, {}},
      {3, 0, event_kind::handle, "b", "a", "(1)", false, {}},
  };
  CHECK(chart(r).find("supervisor") == std::string::npos);
  CHECK(lines(chart(r)).size() == 2 + 1 + 1);
}

TEST_CASE("steps that only repeat themselves are one row") {
  run_result r;
  for (std::uint64_t i = 1; i <= 12; ++i)
    r.trace.push_back({i, 0, event_kind::step, "a", i == 6 ? "b" : "a", "x", false, {}});
  const auto text = chart(r);
  INFO(text);
  CHECK(text.find("x (5x)") != text.npos);
  CHECK(text.find("x (6x)") != text.npos);
  CHECK(lines(text).size() == 2 + 3 + 1);
}

TEST_CASE("the event during which a run failed is marked, and none if it failed as a whole") {
  auto r = oversold();
  CHECK(chart(r).find("\n✗ 10") != std::string::npos);
  r.failing_event = 3;
  CHECK(chart(r).find("\n✗  6") != std::string::npos);
  r.failing_event = 0;
  CHECK(chart(r).find("\n✗ 10") == std::string::npos);
}

TEST_CASE("the racing pair is marked and named, and what is left out is counted") {
  explanation explained;
  explained.run.result = oversold();
  explained.run.marks.resize(explained.run.result.trace.size());
  explained.run.marks[5].is_racing = explained.run.marks[6].is_racing = explained.run.marks[9].is_failing = true;
  explained.run.marks[8].is_left_out = true;
  explained.left_out = 1;
  explained.is_race = true;
  explained.race = "racing pair: 6 and 7 at stock#4";
  const auto text = chart(explained);
  INFO(text);
  CHECK(text.find("\n⇅  6  1 ms") != text.npos);
  CHECK(text.find("\n⇅  7  1 ms") != text.npos);
  CHECK(text.find("\n✗ 10  20 ms") != text.npos);
  CHECK(text.find("timer") == text.npos);
  CHECK(text.find("\n⇅ racing pair: 6 and 7 at stock#4\nnot shown: 1 event that cannot have influenced it\n✗ failed") !=
        text.npos);
}

TEST_CASE("a run without a trace has a verdict only") {
  run_result r;
  CHECK(chart(r) == "ok: 0 events, 0 deliveries\n");
  r.end = verdict::deadlock;
  r.message = "stuck";
  CHECK(chart(r) == "✗ deadlock: stuck\n");
}

TEST_CASE("a chart keeps to its width whatever the names and messages") {
  for (int participants = 1; participants <= 30; ++participants) {
    const auto text = chart(crowd(participants, 40), {.width = 100, .max_rows = 60});
    INFO(text);
    for (const auto& line : lines(text))
      CHECK(text_width(line) <= 100);
  }
}

TEST_CASE("a long chart leaves its middle out and says how much") {
  const auto text = chart(crowd(3, 1'000), {.width = 112, .max_rows = 60});
  INFO(text);
  CHECK(text.find(" 940 more events ") != text.npos);
  CHECK(lines(text).size() == 2 + 60 + 1 + 1);
  CHECK(text.find(" 1000 ") != text.npos);
}

TEST_CASE("line breaks in names and messages do not tear the chart") {
  run_result r;
  r.trace = {{1, 0, event_kind::handle, "a\nb", "c\td", "x\ny", false, {}}};
  const auto text = chart(r);
  CHECK(text.find("a b") != text.npos);
  CHECK(text.find("x y") != text.npos);
}

TEST_CASE("the plain listing has every event") {
  const auto all = lines(trace_listing(oversold()));
  CHECK(all.size() == 10);
  CHECK(all[0] == " 1  0         step    test -> s1.t1 'order'  order");
  CHECK(all[3] == " 4  0         handle  root -> supervisor#1  spawned  (internal)");
  CHECK(all[5] == " 6  1 ms      handle  s1.t1 'order' -> stock#4  read");
}
