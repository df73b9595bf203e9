// What the command line of scenario programs prints, as text and as JSON.
#pragma once
#include "sim/command_line.hpp"
#include "sim/edited_replay.hpp"
#include "sim/explanation.hpp"
#include "sim/explore.hpp"
#include "sim/report.hpp"
#include "sim/shrink.hpp"
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What is known of one cause beyond the failure itself.
struct cause_report {
  std::optional<shrink_result> shrunk;
  std::optional<explanation> explained; ///< The run on the tape.
  std::optional<std::string> tape;      ///< Where the tape of the failure went.
  std::string page;                     ///< Where the report of the failure went; empty if there is none.
  std::string note;                     ///< Why there is less than one might expect; one line, or empty.
};

struct exploration_report {
  std::string program; ///< File name of the program.
  std::string typed;   ///< The program as it was called, for commands to repeat.
  const scenario_command& command;
  simulation_options options;
  const explore_result& found;
  std::vector<cause_report> causes; ///< One for each of `found.causes`.
};
std::string to_text(const exploration_report& report);
std::string to_json(const exploration_report& report);
/// For the report in a file.
report_facts facts_of(const exploration_report& report, const failure_cause& cause, const cause_report& known);

struct replay_report {
  std::string program;
  std::string typed;
  const scenario_command& command;
  simulation_options options;
  const explanation& explained;
  std::string strategy; ///< Of the tape, if it was one.
  std::string note;     ///< How the run differs from the tape; empty if it does not.
};
std::string to_text(const replay_report& report);
std::string to_json(const replay_report& report);
report_facts facts_of(const replay_report& report);

/// What is said of the run of a tape whose program has been edited, in one line.
std::string edit_note(const edited_replay& edited, const tape& recorded);

struct shrink_report {
  std::string program;
  std::string typed;
  const scenario_command& command;
  const shrink_result& shrunk;
  const explanation& explained; ///< The shrunk run.
};
std::string to_text(const shrink_report& report);
std::string to_json(const shrink_report& report);
report_facts facts_of(const shrink_report& report);

} // namespace troupe
