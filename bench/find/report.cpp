// The cells as a page of tables, and as JSON.
#include "bench/find/report.hpp"
#include "bench/find/published.hpp"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

namespace troupe::bench {
namespace {

constexpr double share_bar = 0.95;
constexpr double deliveries_bar = 15;
constexpr double shrink_seconds_bar = 5;

std::string number(double value, int digits = 0) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  std::string result = text;
  const auto whole = result.find('.') == result.npos ? result.size() : result.find('.');
  for (auto at = whole; at > 3; at -= 3)
    result.insert(at - 3, ",");
  return result;
}

std::string seconds_text(double seconds) { return number(seconds, seconds < 1 ? 2 : 0) + " s"; }

std::string percent(double share) {
  // Never rounded up to all, nor down to none.
  const auto rounded = std::round(share * 100);
  const auto shown = share < 1 ? std::min(rounded, 99.0) : rounded;
  return number(share > 0 ? std::max(shown, 1.0) : shown) + " %";
}

std::string program_name(const std::string& scenario) {
  constexpr std::string_view suffix = "-buggy";
  return scenario.ends_with(suffix) ? scenario.substr(0, scenario.size() - suffix.size()) : scenario;
}

std::string cell_text(const cell& c, const cell_limits& limits) {
  if (!c.error.empty())
    return "error";
  if (c.first_failures.empty())
    return "cut";
  auto text = percent(c.share());
  if (const auto median = c.median_schedules())
    text += ", " + number(*median);
  if (c.is_exhausted)
    text += ", all " + number(static_cast<double>(c.schedules));
  if (c.is_cut)
    text += " (of " + number(static_cast<double>(c.first_failures.size())) + ", cut)";
  else if (c.first_failures.size() < limits.invocations)
    text += " (of " + number(static_cast<double>(c.first_failures.size())) + ")";
  return text;
}

std::string row(const std::vector<std::string>& columns) {
  std::string text = "|";
  for (const auto& each : columns)
    text += " " + each + " |";
  return text + "\n";
}

std::string table_head(const std::vector<std::string>& columns) {
  return row(columns) + row(std::vector<std::string>(columns.size(), "---"));
}

const cell* find(const find_report& report, std::string_view program, std::string_view strategy) {
  for (const auto& each : report.cells)
    if (program_name(each.program) == program && each.strategy == strategy && each.error.empty() &&
        !each.first_failures.empty())
      return &each;
  return nullptr;
}

std::string comparison_text(double ours, double theirs) {
  return ours > theirs + 1e-9 ? "better" : ours < theirs - 1e-9 ? "worse" : "the same";
}

std::string hits(const find_report& report) {
  auto columns = report.strategies;
  columns.insert(columns.begin(), "program");
  auto text = table_head(columns);
  for (std::size_t i = 0; i < report.programs.size(); ++i) {
    std::vector<std::string> cells{program_name(report.programs[i])};
    for (std::size_t j = 0; j < report.strategies.size(); ++j)
      cells.push_back(cell_text(report.at(i, j), report.limits));
    text += row(cells);
  }
  return text;
}

/// The best that others have published for a program.
const published_share* best_published(std::string_view program) {
  const published_share* best = nullptr;
  for (const auto& each : published_shares)
    if (each.program == program && (!best || each.share > best->share))
      best = &each;
  return best;
}

bool is_run(const find_report& report, std::string_view strategy) {
  return std::find(report.strategies.begin(), report.strategies.end(), strategy) != report.strategies.end();
}

std::string against_published(const find_report& report) {
  auto text = table_head({"program", "published", "share", "here", "share", ""});
  const auto line = [&](const published_share& theirs, std::string_view strategy) {
    const auto* ours = find(report, theirs.program, strategy);
    text += row({std::string(theirs.program), std::string(theirs.theirs), number(theirs.share) + " %",
                 strategy.empty() ? "nothing like it" : std::string(strategy),
                 ours ? percent(ours->share()) : "not measured",
                 ours ? comparison_text(ours->share() * 100, theirs.share) : ""});
  };
  for (const auto& program : report.programs)
    if (const auto* best = best_published(program_name(program)))
      line({best->program, std::string_view("the best"), {}, best->share}, report.strategies[0]);
  for (const auto& program : report.programs)
    for (const auto& each : published_shares)
      if (each.program == program_name(program) && (each.ours.empty() || is_run(report, each.ours)))
        line(each, each.ours);
  if (report.limits.schedules != published_schedules)
    text += "\nThe published figures are of " + number(published_schedules) +
            " schedules for each invocation, those here of " + number(static_cast<double>(report.limits.schedules)) +
            ".\n\n";
  return text;
}

std::string speeds_and_sizes(const find_report& report) {
  auto text = table_head({"program", "schedules/s", "published", "shrunk", "deliveries", "seconds", "longest"});
  for (std::size_t i = 0; i < report.programs.size(); ++i) {
    const auto& c = report.at(i, 0);
    std::vector<double> deliveries, seconds;
    for (const auto& each : c.shrunk) {
      deliveries.push_back(static_cast<double>(each.deliveries));
      seconds.push_back(each.seconds);
    }
    std::string published;
    for (const auto& each : published_speeds)
      if (each.program == program_name(c.program))
        published = number(each.schedules_per_second) + " (" +
                    number(c.schedules_per_second / each.schedules_per_second, 1) + " x)";
    const auto median = median_of(deliveries);
    text += row({program_name(c.program), c.error.empty() ? number(c.schedules_per_second) : "error", published,
                 number(static_cast<double>(c.shrunk.size())),
                 median ? number(*median, *median == std::floor(*median) ? 0 : 1) : "",
                 median ? number(*median_of(seconds), 2) : "",
                 median ? number(*std::max_element(seconds.begin(), seconds.end()), 2) : ""});
  }
  return text;
}

std::string bars(const find_report& report) {
  std::string missing;
  std::size_t reached = 0;
  std::vector<double> medians;
  double longest = 0;
  for (std::size_t i = 0; i < report.programs.size(); ++i) {
    const auto& c = report.at(i, 0);
    if (c.error.empty() && !c.first_failures.empty() && c.share() >= share_bar)
      ++reached;
    else
      missing += (missing.empty() ? "" : ", ") + program_name(c.program);
    std::vector<double> deliveries;
    for (const auto& each : c.shrunk) {
      deliveries.push_back(static_cast<double>(each.deliveries));
      longest = std::max(longest, each.seconds);
    }
    if (const auto median = median_of(deliveries))
      medians.push_back(*median);
  }
  auto text = "- `" + report.strategies[0] + "` finds the mistake of " + number(static_cast<double>(reached)) + " of " +
              number(static_cast<double>(report.programs.size())) + " programs in at least " + percent(share_bar) +
              " of the invocations." + (missing.empty() ? "" : " Not of: " + missing + ".") + "\n";
  if (const auto median = median_of(medians))
    text += "- Shrunk failures have " + number(*median, 1) +
            " deliveries (median of the programs' medians; wanted: at most " + number(deliveries_bar) +
            "), and shrinking took " + number(longest, 2) + " s at most (wanted: under " + number(shrink_seconds_bar) +
            " s).\n";
  return text;
}

std::string what_was_found(const find_report& report) {
  std::string text;
  for (std::size_t i = 0; i < report.programs.size(); ++i)
    for (std::size_t j = 0; j < report.strategies.size(); ++j)
      if (const auto& c = report.at(i, j); !c.verdict.empty()) {
        text += "- " + program_name(c.program) + ": " + c.verdict + "\n";
        break;
      }
  return text;
}

std::string what_failed(const find_report& report) {
  std::string text;
  for (const auto& each : report.cells) {
    if (!each.error.empty())
      text += "- " + each.program + ", `" + each.strategy + "`: no result: " + each.error + "\n";
    else if (report.is_fixed && each.found() != 0)
      text += "- " + each.program + ", `" + each.strategy + "`: " + each.verdict + "\n";
  }
  return text;
}

} // namespace

std::string to_markdown(const find_report& report) {
  const auto& limits = report.limits;
  const bool is_cut =
      std::any_of(report.cells.begin(), report.cells.end(), [](const cell& each) { return each.is_cut; });
  std::string text = "# Finding known mistakes\n\nMade by `" + report.command + "`\n\non " + report.machine + ", " +
                     std::to_string(report.jobs) + " at once. " + number(static_cast<double>(limits.invocations)) +
                     " invocations of at most " + number(static_cast<double>(limits.schedules)) + " schedules each" +
                     (limits.model ? ", in the order model `" + std::string(to_string(*limits.model)) + "`" : "") +
                     ".\n\n";
  text +=
      report.is_fixed
          ? "The programs have no mistake: each cell is the share of the invocations that have failed all the same.\n\n"
          : "A cell is the share of the invocations that found the mistake, and how many schedules those took up to "
            "the first failure (median).\n\n";
  if (is_cut)
    text += "*cut*: the processor time for the cell (" + seconds_text(limits.seconds) +
            (report.seconds_of_first != limits.seconds
                 ? ", for `" + report.strategies[0] + "` " + seconds_text(report.seconds_of_first)
                 : "") +
            ") was up. The invocations that came to their end before are counted, the others are not.\n\n";
  text += hits(report);
  if (const auto failed = what_failed(report); !failed.empty())
    text += "\n" + failed;
  if (report.is_fixed)
    return text;
  const auto is_published = [](const std::string& program) { return best_published(program_name(program)) != nullptr; };
  if (std::any_of(report.programs.begin(), report.programs.end(), is_published))
    text += "\n## Against published figures\n\nInvocations that found the mistake (P#; Mukherjee et al., OOPSLA "
            "2020).\n\n" +
            against_published(report);
  text += "\n## Speed, and the length of shrunk failures\n\nSeconds are of processor time. Schedules per second: at "
          "random, failing ones included. "
          "Failures found by `" +
          report.strategies[0] +
          "`, shrunk: how many, and the median of their deliveries and of the seconds that it took.\n\n" +
          speeds_and_sizes(report) + "\n" + bars(report) +
          "\n## What was found\n\nThe first failure of each program, as its message has it.\n\n" +
          what_was_found(report);
  return text;
}

std::string to_json(const find_report& report) {
  nlohmann::ordered_json object{{"command", report.command},
                                {"machine", report.machine},
                                {"jobs", report.jobs},
                                {"invocations", report.limits.invocations},
                                {"schedules", report.limits.schedules},
                                {"seconds_per_cell", report.limits.seconds},
                                {"seconds_per_cell_of_first", report.seconds_of_first},
                                {"model", nullptr},
                                {"cells", nlohmann::ordered_json::array()}};
  if (report.limits.model)
    object["model"] = to_string(*report.limits.model);
  for (const auto& each : report.cells) {
    object["cells"].push_back(each);
    auto& published = object["cells"].back()["published_percent"] = nullptr;
    for (const auto& theirs : published_shares)
      if (theirs.program == program_name(each.program) && theirs.ours == each.strategy)
        published = theirs.share;
  }
  return object.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string this_machine() {
  std::string model = "an unknown processor";
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name") && line.find(": ") != line.npos) {
      model = line.substr(line.find(": ") + 2);
      break;
    }
#ifdef __clang__
  const auto* compiler = "clang ";
#else
  const auto* compiler = "g++ ";
#endif
  return model + ", " + std::to_string(std::thread::hardware_concurrency()) + " cores, " + compiler + __VERSION__ +
         ", optimisation level " TROUPE_OPTIMIZATION;
}

} // namespace troupe::bench
