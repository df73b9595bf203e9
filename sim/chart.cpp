// Runs as text: the sequence chart of a failure, and the plain list of events.
#include "sim/chart.hpp"
#include "sim/shown_events.hpp"
#include "sim/text.hpp"
#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace troupe {
namespace {

/// One line of text, addressed by column.
class canvas {
public:
  explicit canvas(std::size_t width) : cells_(width, " ") {}

  void put(std::size_t column, const char* cell) {
    if (column < cells_.size())
      cells_[column] = cell;
  }
  void write(std::size_t column, std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      auto next = at + 1;
      while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xc0) == 0x80)
        ++next;
      if (column < cells_.size())
        cells_[column] = text.substr(at, next - at);
      ++column;
      at = next;
    }
  }
  std::string text() const {
    std::string result;
    for (const auto& cell : cells_)
      result += cell;
    result.erase(result.find_last_not_of(' ') + 1);
    return result + "\n";
  }

private:
  std::vector<std::string> cells_;
};

/// One event to show.
struct row {
  std::size_t number = 0; ///< Its place in the trace, from 1.
  std::string from;
  std::string to;
  std::string what;
  platform::duration time = {};
  entry_marks marks = {};
};

std::vector<row> visible_rows(const told_run& told) {
  std::vector<row> rows;
  for (auto& each : shown_events(told))
    if (!each.is_hidden && !each.marks.is_left_out)
      rows.push_back(
          {each.number, std::move(each.from), std::move(each.to), std::move(each.label), each.time, each.marks});
  return rows;
}

/// The marks of a run that nobody has explained.
told_run marked(const run_result& result) {
  told_run told{result, std::vector<entry_marks>(result.trace.size())};
  std::unordered_set<std::uint64_t> out_of_turn;
  for (const auto& each : result.decisions)
    if (each.kind == decision_kind::event && each.index != 0)
      out_of_turn.insert(each.identity);
  auto failing = result.trace.size();
  for (std::size_t i = 0; i < result.trace.size(); ++i) {
    told.marks[i].is_out_of_turn = out_of_turn.count(result.trace[i].identity) != 0;
    if (result.failing_event != 0 && result.trace[i].identity == result.failing_event)
      failing = i;
  }
  if (failing != result.trace.size())
    told.marks[failing].is_failing = true;
  return told;
}

/// Makes one row of a participant's steps that nothing of interest came between.
void merge_repetitions(std::vector<row>& rows) {
  std::vector<row> merged;
  std::size_t times = 1;
  for (auto& each : rows) {
    auto* last = merged.empty() ? nullptr : &merged.back();
    if (last && each.from == each.to && last->from == each.from && last->to == each.to && last->time == each.time &&
        !each.marks.is_racing && !last->marks.is_racing && !each.marks.is_failing &&
        (last->what == each.what || last->what == each.what + " (" + std::to_string(times) + "x)")) {
      last->what = each.what + " (" + std::to_string(++times) + "x)";
      last->marks.is_out_of_turn = last->marks.is_out_of_turn || each.marks.is_out_of_turn;
      continue;
    }
    times = 1;
    merged.push_back(std::move(each));
  }
  rows = std::move(merged);
}

/// Takes rows out of the middle. @returns the index of the first row after the gap, and its size.
std::pair<std::size_t, std::size_t> elide(std::vector<row>& rows, std::size_t max_rows) {
  if (rows.size() <= max_rows)
    return {0, 0};
  // The failure is at the end: the end gets two thirds.
  const auto head = max_rows / 3;
  const auto gap = rows.size() - max_rows;
  auto begin = rows.begin() + static_cast<std::ptrdiff_t>(head);
  rows.erase(begin, begin + static_cast<std::ptrdiff_t>(gap));
  return {head, gap};
}

/// Shows all tasks of one session as one participant: "s2.t1 'order'" becomes "s2".
void merge_tasks(std::vector<row>& rows) {
  auto merge = [](std::string& name) {
    auto dot = name.find('.');
    if (dot == name.npos || dot < 2 || name[0] != 's' || name.find_first_not_of("0123456789", 1) != dot)
      return;
    name.resize(dot);
  };
  for (auto& each : rows) {
    merge(each.from);
    merge(each.to);
  }
}

std::vector<std::string> participants_of(const std::vector<row>& rows) {
  std::vector<std::string> names;
  for (const auto& each : rows)
    for (const auto* name : {&each.from, &each.to})
      if (std::find(names.begin(), names.end(), *name) == names.end())
        names.push_back(*name);
  return names;
}

/// The two columns before a row's number: the most telling of its marks.
std::string sign_of(const entry_marks& marks) {
  return marks.is_failing ? "\u2717 " : marks.is_racing ? "\u21c5 " : marks.is_out_of_turn ? "* " : "  ";
}

/// Draws rows that are known to fit.
class drawing {
public:
  drawing(const std::vector<row>& rows, std::vector<std::string> participants, std::size_t width)
      : participants_(std::move(participants)), width_(width) {
    for (const auto& each : rows)
      time_width_ = std::max(time_width_, text_width(duration_text(each.time)));
    const bool is_timed = std::any_of(rows.begin(), rows.end(), [](const row& r) { return r.time.count() != 0; });
    time_width_ = is_timed ? std::max<std::size_t>(time_width_, 4) : 0;
    number_width_ = rows.empty() ? 1 : std::to_string(rows.back().number).size();
    margin_ = 2 + number_width_ + (is_timed ? 2 + time_width_ : 0) + 2;
    for (std::size_t i = 0; i < participants_.size(); ++i)
      place_.emplace(participants_[i], i);
    column_ = column_width(rows);
  }

  static constexpr std::size_t narrowest = 14;
  bool fits() const { return margin_ + participants_.size() * narrowest <= width_; }

  std::string head() const {
    canvas first(width_), second(width_), third(width_);
    bool is_second_used = false;
    for (std::size_t i = 0; i < participants_.size(); ++i) {
      std::string name = participants_[i], rest;
      if (auto space = name.find(' '); text_width(name) > column_ - 2 && space != name.npos) {
        rest = name.substr(space + 1);
        name.resize(space);
        is_second_used = true;
      }
      centre(first, i, name);
      centre(second, i, rest);
      third.put(lifeline(i), "\u2502");
    }
    if (time_width_ != 0)
      third.write(margin_ - 2 - time_width_, "time");
    return first.text() + (is_second_used ? second.text() : "") + third.text();
  }

  std::string line(const row& shown) const {
    canvas c(width_);
    for (std::size_t i = 0; i < participants_.size(); ++i)
      c.put(lifeline(i), "\u2502");
    c.write(0, sign_of(shown.marks));
    auto number = std::to_string(shown.number);
    c.write(2 + number_width_ - number.size(), number);
    if (time_width_ != 0)
      c.write(2 + number_width_ + 2, duration_text(shown.time));
    auto from = lifeline(place_.at(shown.from));
    auto to = lifeline(place_.at(shown.to));
    if (from == to) {
      c.put(to, "\u25cf");
      c.write(to + 2, fitted(shown.what, width_ - std::min(width_, to + 2)) + " ");
    } else {
      arrow(c, from, to, shown.what);
    }
    return c.text();
  }

  std::string gap(std::size_t count) const {
    canvas c(width_);
    for (std::size_t i = 0; i < participants_.size(); ++i)
      c.put(lifeline(i), "\u250a");
    c.write(margin_ + 1, " " + std::to_string(count) + " more events ");
    return c.text();
  }

private:
  std::size_t lifeline(std::size_t participant) const { return margin_ + participant * column_ + column_ / 2; }

  /// Wide enough for every label if the terminal is.
  std::size_t column_width(const std::vector<row>& rows) const {
    std::size_t wanted = narrowest;
    for (const auto& name : participants_) {
      auto space = name.find(' ');
      auto longest = space == name.npos ? text_width(name) : std::max(space, text_width(name) - space - 1);
      wanted = std::max(wanted, longest + 2);
    }
    for (const auto& each : rows) {
      auto from = place_.at(each.from), to = place_.at(each.to);
      auto span = from < to ? to - from : from - to;
      if (span != 0)
        wanted = std::max(wanted, (text_width(each.what) + 7 + span - 1) / span);
      else if (to + 1 == participants_.size()) // The last lifeline has half a column to its right.
        wanted = std::max(wanted, std::min<std::size_t>(2 * (text_width(each.what) + 3), 30));
    }
    auto room = participants_.empty() ? width_ : (width_ - std::min(width_, margin_)) / participants_.size();
    return std::max(std::min(wanted, room), narrowest);
  }

  void centre(canvas& c, std::size_t participant, const std::string& name) const {
    auto text = fitted(name, column_ - 1);
    auto width = text_width(text);
    auto middle = lifeline(participant);
    c.write(middle - std::min(middle, width / 2), text);
  }

  static void arrow(canvas& c, std::size_t from, std::size_t to, const std::string& what) {
    const bool is_rightward = from < to;
    const auto left = std::min(from, to), right = std::max(from, to);
    for (auto column = left + 1; column < right; ++column)
      c.put(column, "\u2500");
    c.put(from, is_rightward ? "\u251c" : "\u2524");
    c.put(is_rightward ? right - 1 : left + 1, is_rightward ? "\u25b6" : "\u25c0");
    const auto room = right - left - 1;
    auto text = " " + fitted(what, room - 5) + " ";
    c.write(left + 1 + (room - text_width(text)) / 2, text);
  }

  std::vector<std::string> participants_;
  std::unordered_map<std::string, std::size_t> place_;
  std::size_t width_;
  std::size_t number_width_ = 1;
  std::size_t time_width_ = 0;
  std::size_t margin_ = 0;
  std::size_t column_ = narrowest;
};

/// For runs with more participants than there is room for columns.
std::string as_list(const std::vector<row>& rows, std::size_t gap_at, std::size_t gap) {
  std::size_t number = 1, time = 1, from = 1, to = 1;
  for (const auto& each : rows) {
    number = std::max(number, std::to_string(each.number).size());
    time = std::max(time, text_width(duration_text(each.time)));
    from = std::clamp(text_width(each.from), from, std::max<std::size_t>(from, 30));
    to = std::clamp(text_width(each.to), to, std::max<std::size_t>(to, 30));
  }
  std::string result;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& each = rows[i];
    if (gap != 0 && i == gap_at)
      result += "  ... " + std::to_string(gap) + " more events\n";
    auto digits = std::to_string(each.number);
    result += sign_of(each.marks);
    result += std::string(number - digits.size(), ' ') + digits + "  " + padded(duration_text(each.time), time) + "  ";
    result +=
        each.from == each.to ? std::string(from, ' ') + "  \u25cf  " : padded(each.from, from) + " \u2500\u25b6  ";
    result += padded(each.to, to) + "  " + each.what + "\n";
  }
  return result;
}

} // namespace

std::string verdict_text(const run_result& result) {
  if (!result.is_failure())
    return "ok: " + std::to_string(result.steps) + " events, " + std::to_string(result.deliveries) + " deliveries\n";
  std::string text = std::string("\u2717 ") + to_string(result.end) + ": ";
  for (char c : result.message) {
    text += c;
    if (c == '\n')
      text += "  ";
  }
  text.erase(text.find_last_not_of(" \n") + 1);
  return text + "\n";
}

namespace {

/// `remarks`: lines between the picture and the verdict.
std::string picture_of(const told_run& told, const chart_options& options, const std::string& remarks) {
  auto rows = visible_rows(told);
  if (rows.empty())
    return remarks + verdict_text(told.result);
  merge_repetitions(rows);
  const auto elided = elide(rows, std::max<std::size_t>(options.max_rows, 3));
  // Not a structured binding: clang 14 cannot capture one.
  const auto gap_at = elided.first, gap = elided.second;
  const auto drawn = [&] {
    drawing picture(rows, participants_of(rows), options.width);
    if (!picture.fits())
      return std::string();
    auto text = picture.head();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (gap != 0 && i == gap_at)
        text += picture.gap(gap);
      text += picture.line(rows[i]);
    }
    return text;
  };
  auto text = drawn();
  if (text.empty()) {
    auto unmerged = rows;
    merge_tasks(rows);
    text = drawn();
    if (text.empty())
      text = as_list(unmerged, gap_at, gap);
  }
  if (std::any_of(rows.begin(), rows.end(), [](const row& each) { return each.marks.is_out_of_turn; }))
    text += "* out of turn: an event that was enabled earlier had to wait\n";
  return text + remarks + verdict_text(told.result);
}

} // namespace

std::string chart(const run_result& result, const chart_options& options) {
  return picture_of(marked(result), options, {});
}

std::string chart(const explanation& explained, const chart_options& options) {
  std::string remarks;
  if (!explained.race.empty())
    remarks += (explained.is_race ? "\u21c5 " : "") + explained.race + "\n";
  if (!explained.wakeup.empty())
    remarks += explained.wakeup + "\n";
  if (explained.left_out != 0)
    remarks += "not shown: " + std::to_string(explained.left_out) +
               (explained.left_out == 1 ? " event that" : " events that") + " cannot have influenced it\n";
  return picture_of(explained.run, options, remarks);
}

std::string trace_line(const trace_entry& entry) {
  auto line = padded(duration_text(entry.time), 9) + " " + padded(to_string(entry.kind), 8);
  line += one_line(entry.from) + " -> " + one_line(entry.to) + "  " + one_line(entry.what);
  if (entry.internal)
    line += "  (internal)";
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string trace_listing(const run_result& result) {
  std::string text;
  const auto width = std::to_string(result.trace.size()).size();
  for (std::size_t i = 0; i < result.trace.size(); ++i) {
    auto number = std::to_string(i + 1);
    text += std::string(width - number.size(), ' ') + number + "  " + trace_line(result.trace[i]) + "\n";
  }
  return text;
}

} // namespace troupe
