// Measures how often, and how soon, each strategy finds the known mistakes of examples/protocols.
#include "bench/find/processes.hpp"
#include "bench/find/report.hpp"
#include "examples/protocols/protocols.hpp"
#include "sim/names.hpp"
#include "sim/strategies.hpp"
#include "sim/text.hpp"
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>
#include <unistd.h>

namespace {

using namespace troupe;
using namespace troupe::bench;

constexpr std::string_view buggy = "-buggy";

/// Ends the program with status 2; `what` is one line.
struct unusable {
  std::string what;
};

struct settings {
  cell_limits limits{.shrunk = 10, .speed_seconds = 0.5, .model = {}};
  std::vector<std::string> strategies{"portfolio", "random", "pct:depth=3", "pct:depth=10", "pct:depth=30",
                                      "pctcp",     "pos",    "surw",        "ql",           "delay"};
  std::vector<std::string> programs;
  double seconds_of_first = 0; ///< The time limit of the first strategy; 0: that of the others.
  std::string model;
  std::string variant = "buggy";
  std::string json;
  std::string markdown;
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
};

/// The scenarios to measure: by their names without the suffix, or all of the variant.
std::vector<const scenario*> chosen_programs(const scenario_set& scenarios, const settings& chosen) {
  std::vector<const scenario*> all;
  std::vector<std::string> names;
  for (const auto& each : scenarios.all())
    if (each.name.ends_with(buggy) == (chosen.variant == "buggy")) {
      all.push_back(&each);
      names.push_back(each.name.substr(0, each.name.rfind("-" + chosen.variant)));
    }
  if (chosen.programs.empty())
    return all;
  std::vector<const scenario*> some;
  for (const auto& name : chosen.programs) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end())
      throw unusable{"--programs: " + unknown_name("program", name, names)};
    some.push_back(all[static_cast<std::size_t>(at - names.begin())]);
  }
  return some;
}

void check(settings& chosen) {
  for (const auto& path : {chosen.markdown, chosen.json})
    if (!path.empty() && path != "-" && !std::ofstream(path, std::ios::app))
      throw unusable{"\"" + one_line(path) + "\": cannot be written"};
  for (const auto& each : chosen.strategies)
    if (const auto problem = strategy_problem(each); !problem.empty())
      throw unusable{"--strategies: " + problem};
  if (!chosen.model.empty()) {
    chosen.limits.model = order_model_named(chosen.model);
    if (!chosen.limits.model)
      throw unusable{"--model: unknown order model \"" + one_line(chosen.model) + "\""};
  }
  if (chosen.variant == "fixed")
    chosen.limits.shrunk = 0;
}

void measure(find_report& report, const std::vector<const scenario*>& programs, unsigned jobs) {
  std::vector<std::function<std::string()>> work;
  for (const auto* program : programs)
    for (const auto& strategy : report.strategies)
      work.push_back([&report, program, strategy] {
        auto limits = report.limits;
        if (strategy == report.strategies[0])
          limits.seconds = report.seconds_of_first;
        else
          limits.shrunk = 0, limits.speed_seconds = 0;
        return nlohmann::ordered_json(measure_cell(*program, strategy, limits)).dump();
      });
  report.cells.resize(work.size());
  std::size_t done = 0;
  const bool is_watched = ::isatty(STDERR_FILENO) != 0;
  run_in_processes(work, jobs, [&](std::size_t job, const job_result& result) {
    auto& c = report.cells[job];
    if (result.error.empty()) {
      nlohmann::ordered_json::parse(result.text).get_to(c);
    } else {
      c.program = programs[job / report.strategies.size()]->name;
      c.strategy = report.strategies[job % report.strategies.size()];
      c.error = result.error;
    }
    ++done;
    if (is_watched)
      std::cerr << "\r" << done << " of " << work.size() << " cells" << (done == work.size() ? "\n" : "") << std::flush;
  });
}

void save(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  if (!(file << text << std::flush))
    throw unusable{"\"" + one_line(path) + "\": cannot be written"};
}

int run(settings& chosen, std::string command) {
  check(chosen);
  scenario_set scenarios;
  protocols::add_all(scenarios);
  const auto programs = chosen_programs(scenarios, chosen);
  find_report report{.command = std::move(command),
                     .machine = this_machine(),
                     .limits = chosen.limits,
                     .seconds_of_first = chosen.seconds_of_first > 0 ? chosen.seconds_of_first : chosen.limits.seconds,
                     .jobs = chosen.jobs,
                     .is_fixed = chosen.variant == "fixed",
                     .programs = {},
                     .strategies = chosen.strategies,
                     .cells = {}};
  for (const auto* each : programs)
    report.programs.push_back(each->name);
  measure(report, programs, chosen.jobs);

  if (chosen.markdown.empty() && chosen.json != "-")
    std::cout << to_markdown(report) << std::flush;
  else if (!chosen.markdown.empty())
    save(chosen.markdown, to_markdown(report));
  if (chosen.json == "-")
    std::cout << to_json(report) << std::flush;
  else if (!chosen.json.empty())
    save(chosen.json, to_json(report));
  return std::any_of(report.cells.begin(), report.cells.end(),
                     [&](const cell& each) { return !each.error.empty() || (report.is_fixed && each.found() != 0); })
             ? 1
             : 0;
}

} // namespace

int main(int argc, char** argv) {
  settings chosen;
  bool is_quick = false;
  CLI::App program{"Measures how often, and how soon, strategies find the known mistakes of examples/protocols.\n"
                   "Exit status: 0 measured, 1 a cell has no result or a fixed program failed, 2 unusable arguments."};
  program.add_option("--invocations", chosen.limits.invocations, "Searches of each cell, with seeds of their own")
      ->check(CLI::Range(1u, 100'000u))
      ->capture_default_str();
  program.add_option("--schedules", chosen.limits.schedules, "Schedules of each search, at most")
      ->check(CLI::Range(1u, 100'000'000u))
      ->capture_default_str();
  program.add_option("--strategies", chosen.strategies, "As explore takes them; the first one's failures are shrunk")
      ->delimiter(',')
      ->capture_default_str();
  program.add_option("--programs", chosen.programs, "Without -buggy; all of them if not given")->delimiter(',');
  program.add_option("--variant", chosen.variant, "buggy, or fixed: where nothing is to be found")
      ->check(CLI::IsMember({"buggy", "fixed"}))
      ->capture_default_str();
  program.add_option("--model", chosen.model, "The order model; each program's own if not given");
  program.add_option("--shrink", chosen.limits.shrunk, "Failures of each program to shrink")
      ->check(CLI::Range(0u, 100'000u))
      ->capture_default_str();
  program.add_option("--time-limit", chosen.limits.seconds, "Seconds of processor time, searching, for each cell")
      ->check(CLI::Range(0.01, 1e6))
      ->capture_default_str();
  program
      .add_option("--time-limit-first", chosen.seconds_of_first,
                  "The same for the first strategy, if it may have longer")
      ->check(CLI::Range(0.01, 1e6));
  program.add_option("--jobs", chosen.jobs, "Cells that are measured at once")
      ->check(CLI::Range(1u, 1'000u))
      ->capture_default_str();
  program.add_option("--markdown", chosen.markdown, "File for the tables; standard output if not given");
  program.add_option("--json", chosen.json, "File for everything as JSON; -: standard output, in place of the tables");
  program.add_flag("--quick", is_quick,
                   "A few schedules of each cell: shows that it works, and no numbers worth having");
  try {
    program.parse(argc, argv);
    if (is_quick) {
      chosen.limits.invocations = 2;
      chosen.limits.schedules = 20;
      chosen.limits.seconds = 1;
      chosen.limits.shrunk = 1;
      chosen.limits.speed_seconds = 0.02;
    }
    // Where the results go is nothing to them.
    std::string command = "find";
    for (int i = 1; i < argc; ++i) {
      const std::string_view word = argv[i];
      if (word == "--markdown" || word == "--json" || word == "--jobs")
        ++i;
      else
        command += " " + shell_word(word);
    }
    return run(chosen, command);
  } catch (const CLI::ParseError& error) {
    const int status = program.exit(error);
    return status == 0 ? 0 : 2;
  } catch (const unusable& reason) {
    std::cerr << "find: " << reason.what << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "find: " << one_line(error.what()) << std::endl;
  }
  return 2;
}
