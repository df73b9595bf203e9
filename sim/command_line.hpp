// The command line of scenario programs, taken apart.
#pragma once
#include "sim/report.hpp"
#include "sim/simulation_options.hpp"
#include "sim/watched_process.hpp"
#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

/// What the user asked for; what does not belong to the action has its default.
struct scenario_command {
  enum class action {
    none, ///< Nothing to do any more: `text` is what to print, help or an error, and `status` how to exit.
    list,
    explore,
    replay,
    shrink,
  };
  action what = action::none;
  std::string text;
  int status = 0;

  std::string scenario;
  std::uint64_t first_seed = 0;
  std::uint64_t seeds = 1'000;
  std::optional<std::uint64_t> seed;
  std::string strategy = "portfolio";
  std::optional<std::uint64_t> max_steps;
  std::optional<order_model> model;
  std::string faults; ///< As `parse_faults` takes them; empty: as the scenario says.
  unsigned jobs = 1;
  std::uint64_t failures = 1;
  bool checks_determinism = false;
  run_limits limits = {};
  bool is_json = false;
  bool is_traced = false;
  std::string tape;
  std::string bytes; ///< A fuzzer's input.
  std::string out;
  std::string report; ///< File for the report of the failure, or of the run; empty for none.
  report_format format = report_format::html;
};

/// Never throws for what the user typed.
scenario_command parse_scenario_command(int argc, const char* const* argv);

} // namespace troupe
