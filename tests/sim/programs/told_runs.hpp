// Explained runs from nowhere: what reports are tested with, small ones and large ones.
#pragma once
#include "sim/report.hpp"
#include <string>

namespace troupe::testing {

inline report_facts told_facts() {
  return {"oversell", "random", 17, "oversell-17.tape", "shop replay oversell --tape oversell-17.tape"};
}

/// Two buyers and a stock of one, and a clock that has nothing to do with it.
inline explanation told_oversell() {
  using namespace std::chrono_literals;
  explanation told;
  auto& failing = told.run.result;
  failing.end = verdict::failed;
  failing.message = "oversold: -1 left";
  failing.failing_event = 15;
  failing.steps = failing.deliveries = 7;
  failing.trace = {
      {10, 0, event_kind::start, "test", "first buyer#2", "", false, {}, ""},
      {11, 0, event_kind::start, "test", "second buyer#3", "", false, {}, ""},
      {12, 10, event_kind::handle, "first buyer#2", "stock#1", "('read')", false, 1ms, "left: 1"},
      {16, 0, event_kind::handle, "test", "clock#4", "('tick')", false, 1ms, ""},
      {13, 11, event_kind::handle, "second buyer#3", "stock#1", "('read')", false, 2ms, "left: 1"},
      {14, 10, event_kind::handle, "first buyer#2", "stock#1", "('reserve', 1)", false, 2ms, "left: 0"},
      {15, 11, event_kind::handle, "second buyer#3", "stock#1", "('reserve', 1)", false, 3ms, "left: -1"},
  };
  told.run.marks.resize(7);
  told.run.marks[3].is_left_out = true;
  told.run.marks[4].is_racing = told.run.marks[5].is_racing = true;
  told.run.marks[6].is_failing = true;
  told.left_out = 1;
  auto& passing = told.passing.result;
  passing = failing;
  passing.end = verdict::ok;
  passing.message.clear();
  passing.failing_event = 0;
  std::swap(passing.trace[4], passing.trace[5]);
  passing.trace.pop_back();
  told.passing.marks.resize(6);
  told.passing.marks[4].is_racing = told.passing.marks[5].is_racing = true;
  told.is_race = true;
  told.race = "racing pair: 5 and 6 at stock#1: in the other order the run passes (it was run)";
  told.wakeup = "lost wakeup: clock#4 waits for tick";
  return told;
}

/// As many events as one likes, between eight servers.
inline explanation told_crowd(std::size_t events) {
  explanation told;
  auto& failing = told.run.result;
  failing.end = verdict::failed;
  failing.message = "two leaders in term 7";
  failing.steps = failing.deliveries = events;
  for (std::size_t i = 0; i < events; ++i) {
    const auto from = "server#" + std::to_string(i * 7 % 8), to = "server#" + std::to_string((i * 7 + 1 + i % 5) % 8);
    failing.trace.push_back({i + 1, i < 9 ? 0 : i - 7, event_kind::handle, from, to,
                             "('append', " + std::to_string(i % 97) + ")", false, std::chrono::microseconds(i),
                             "term: " + std::to_string(i / 100)});
  }
  told.run.marks.resize(events);
  told.run.marks[events - 9].is_racing = told.run.marks[events - 4].is_racing = true;
  told.run.marks[events - 1].is_failing = true;
  told.passing = told.run;
  told.passing.result.end = verdict::ok;
  std::swap(told.passing.result.trace[events - 9], told.passing.result.trace[events - 4]);
  told.passing.marks[events - 1].is_failing = false;
  told.is_race = true;
  told.race = "racing pair: " + std::to_string(events - 8) + " and " + std::to_string(events - 3) +
              ": in the other order the run passes (it was run)";
  return told;
}

} // namespace troupe::testing
