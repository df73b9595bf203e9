// Measures Troupe against what a user would pick instead, and prints the ratios.
#include "bench/paired.hpp"
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

namespace {

using namespace troupe::bench;

struct group_bar {
  const char* group;
  const char* name;
  double now;
  double goal;
};
constexpr group_bar group_bars[] = {{"actors", "geometric mean of actors on our host", 1.2, 2.0}};

struct settings {
  unsigned rounds = 7;
  double scale = 1;
  std::string only;
  std::string bars = "none";
  bool is_json = false;

  std::optional<double> bar(std::optional<double> now, std::optional<double> goal) const {
    return bars == "now" ? now : bars == "goal" ? goal : std::nullopt;
  }
};

/// One line of the result: a comparison, or a mean over some.
struct row {
  std::string name;
  measured values;
  std::optional<double> bar;
  bool is_below() const { return bar && values.ratio < *bar; }
};

std::string rate(double per_second) {
  char text[32];
  std::snprintf(text, sizeof text, per_second >= 1e6 ? "%.2f M/s" : "%.0f k/s",
                per_second >= 1e6 ? per_second / 1e6 : per_second / 1e3);
  return text;
}

void print(const row& line) {
  const auto& v = line.values;
  if (v.what)
    std::printf("%-36s %-9s %10s  %-32s %10s  %6.2f x  (%.2f to %.2f)", line.name.c_str(), v.what->unit.c_str(),
                rate(v.ours).c_str(), v.what->theirs_name.c_str(), rate(v.theirs).c_str(), v.ratio, v.lowest,
                v.highest);
  else
    std::printf("%-36s %66s%6.2f x", line.name.c_str(), "", v.ratio);
  if (line.bar)
    std::printf("  %s %.2f", line.is_below() ? "BELOW" : "at least", *line.bar);
  std::printf("\n");
  std::fflush(stdout);
}

nlohmann::ordered_json to_json(const row& line) {
  nlohmann::ordered_json object;
  object["name"] = line.name;
  if (line.values.what) {
    object["unit"] = line.values.what->unit;
    object["against"] = line.values.what->theirs_name;
    object["ours_per_second"] = line.values.ours;
    object["theirs_per_second"] = line.values.theirs;
    object["lowest"] = line.values.lowest;
    object["highest"] = line.values.highest;
  }
  object["ratio"] = line.values.ratio;
  object["bar"] = line.bar ? nlohmann::ordered_json(*line.bar) : nlohmann::ordered_json(nullptr);
  object["is_below"] = line.is_below();
  return object;
}

} // namespace

int main(int argc, char** argv) {
  settings chosen;
  bool is_quick = false;
  CLI::App program{"Measures Troupe against what a user would pick instead: medians of rounds in turns."};
  program.add_option("--rounds", chosen.rounds, "Rounds of each comparison")
      ->check(CLI::Range(1u, 1'000u))
      ->capture_default_str();
  program.add_option("--scale", chosen.scale, "Size of each measurement")
      ->check(CLI::Range(0.0001, 1'000.0))
      ->capture_default_str();
  program.add_option("--only", chosen.only, "One group")->check(CLI::IsMember({"tasks", "actors", "simulator", "gcd"}));
  program
      .add_option("--bars", chosen.bars, "Exit with 1 if a ratio is below its bar: the one asked for now, or the goal")
      ->check(CLI::IsMember({"none", "now", "goal"}))
      ->capture_default_str();
  program.add_flag("--json", chosen.is_json, "One JSON object instead of a table");
  program.add_flag("--quick", is_quick, "One small round: shows that it works, and no numbers worth having");
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = program.exit(error);
    return status == 0 ? 0 : 2;
  }
  if (is_quick) {
    chosen.rounds = 1;
    chosen.scale = 0.02;
  }

  const workload load{chosen.scale};
  std::vector<comparison> all;
  for (auto* make : {task_comparisons, actor_comparisons, simulator_comparisons, gcd_comparisons})
    for (auto& each : make(load))
      if (chosen.only.empty() || each.group == chosen.only)
        all.push_back(std::move(each));

  std::vector<row> rows;
  const auto add = [&](row line) {
    if (!chosen.is_json)
      print(line);
    rows.push_back(std::move(line));
  };
  for (const auto& each : all)
    add({each.name, run_paired(each, chosen.rounds), chosen.bar(each.bar_now, each.bar_goal)});
  for (const auto& bar : group_bars) {
    std::vector<double> ratios;
    for (const auto& line : rows)
      if (line.values.what && line.values.what->group == bar.group)
        ratios.push_back(line.values.ratio);
    if (!ratios.empty())
      add({bar.name, {.ratio = geometric_mean(ratios)}, chosen.bar(bar.now, bar.goal)});
  }

  bool is_below = false;
  for (const auto& line : rows)
    is_below = is_below || line.is_below();
  if (chosen.is_json) {
    nlohmann::ordered_json object{{"hardware_threads", std::thread::hardware_concurrency()},
                                  {"rounds", chosen.rounds},
                                  {"bars", chosen.bars},
                                  {"rows", nlohmann::ordered_json::array()}};
    for (const auto& line : rows)
      object["rows"].push_back(to_json(line));
    std::cout << object.dump(2) << std::endl;
  }
  return is_below ? 1 : 0;
}
