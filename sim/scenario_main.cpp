// The command line that every program with scenarios gets.
#include "sim/chart.hpp"
#include "sim/command_line.hpp"
#include "sim/explore.hpp"
#include "sim/fuzz_input.hpp"
#include "sim/runner.hpp"
#include "sim/scenario_report.hpp"
#include "sim/shrink.hpp"
#include "sim/strategies.hpp"
#include "sim/tape_strategy.hpp"
#include "sim/text.hpp"
#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

namespace troupe {
namespace {

/// Ends the command with status 2; `what` is one line.
struct unusable {
  std::string what;
};

/// As tapes know it: the same on every system.
std::string name_of(const std::filesystem::path& program) {
  return (program.extension() == ".exe" ? program.stem() : program.filename()).string();
}

class command_runner {
public:
  command_runner(const scenario_set& scenarios, const scenario_command& command, const char* program)
      : scenarios_(scenarios), command_(command), typed_(program), program_(name_of(program)) {}

  int run() {
    switch (command_.what) {
    case scenario_command::action::none:
      break;
    case scenario_command::action::list:
      return list();
    case scenario_command::action::explore:
      return explore();
    case scenario_command::action::replay:
      if (!command_.bytes.empty())
        return replay_bytes();
      return command_.tape.empty() ? replay_seed() : replay_tape();
    case scenario_command::action::shrink:
      return shrink();
    }
    return 2;
  }

private:
  int list() {
    std::size_t width = 0;
    for (const auto& each : scenarios_.all())
      width = std::max(width, text_width(each.name));
    for (const auto& each : scenarios_.all())
      std::cout << (each.description.empty() ? each.name : padded(each.name, width) + "  " + one_line(each.description))
                << '\n';
    return 0;
  }

  const scenario& chosen() const {
    if (const auto* found = scenarios_.find(command_.scenario))
      return *found;
    std::vector<std::string> names;
    for (const auto& each : scenarios_.all())
      names.push_back(each.name);
    throw unusable{unknown_name("scenario", command_.scenario, names)};
  }

  simulation_options options() const {
    auto result = chosen().options;
    result.max_steps = command_.max_steps.value_or(result.max_steps);
    result.model = command_.model.value_or(result.model);
    return result;
  }

  strategy_factory factory(const runner& run, const simulation_options& set_up) const {
    return make_strategies(command_.strategy, run, set_up.model);
  }

  int explore() {
    const auto& program = chosen();
    auto set_up = options();
    if (tape_error error; !command_.out.empty() && !can_save_tape(command_.out, error))
      throw unusable{error.message};
    const auto run = make_runner(program.body, set_up);
    const auto strategies = factory(run, set_up);
    if (strategies.is_exhaustive && command_.first_seed != 0)
      throw unusable{"--first-seed: the strategy " + command_.strategy + " has no seeds; it begins with schedule 0"};
    auto found = troupe::explore(run, strategies, {command_.first_seed, command_.seeds, command_.jobs});

    exploration_report report{program_, typed_, command_, set_up, found, {}, {}};
    std::optional<tape_error> not_saved;
    if (found.failing_seed && !found.is_crash) {
      set_up.seed = strategies.program_seed(*found.failing_seed);
      auto recorded = make_tape(program_, program.name, command_.strategy, set_up, found.failure);
      // No schedule is the shortest of those that never end.
      if (found.failure.end != verdict::nondeterminism && found.failure.end != verdict::step_limit) {
        report.shrunk = troupe::shrink(run, recorded);
        if (report.shrunk->run.end == found.failure.end)
          recorded = report.shrunk->shortest;
        else
          report.shrunk.reset();
      }
      tape_error error;
      if (auto path = save(recorded, error); !path.empty())
        report.tape = path;
      else
        not_saved = error;
    }
    std::cout << (command_.is_json ? to_json(report) : to_text(report)) << std::flush;
    if (not_saved)
      throw unusable{not_saved->message};
    return found.failing_seed ? 1 : 0;
  }

  /// Where the user said, or in the current directory, or if that cannot be written, where temporary files go.
  std::string save(const tape& recorded, tape_error& error) const {
    std::vector<std::string> places{command_.out};
    if (command_.out.empty()) {
      const auto name = file_name(recorded);
      places = {name};
      std::error_code none;
      if (auto folder = std::filesystem::temp_directory_path(none); !none)
        places.push_back((folder / name).string());
    }
    for (const auto& place : places)
      if (save_tape(recorded, place, error))
        return place;
    return {};
  }

  static std::string file_name(const tape& recorded) {
    auto name = recorded.scenario;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '/' || static_cast<unsigned char>(c) <= ' '; }, '_');
    return name + "-" + std::to_string(recorded.options.seed) + ".tape";
  }

  int replay_seed() {
    auto set_up = options();
    const auto run = make_runner(chosen().body, set_up);
    const auto strategies = factory(run, set_up);
    auto order = strategies(*command_.seed);
    if (!order)
      throw unusable{"--seed " + std::to_string(*command_.seed) + ": the strategy " + command_.strategy +
                     " has fewer schedules"};
    set_up.seed = strategies.program_seed(*command_.seed);
    const auto result = run(set_up.seed, *order, true);
    keep(command_.strategy, set_up, result);
    return say({program_, typed_, command_, set_up, result, command_.strategy, {}});
  }

  int replay_bytes() {
    const auto& program = chosen();
    std::ifstream file(command_.bytes, std::ios::binary);
    const std::vector<std::uint8_t> data{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file)
      throw unusable{"input \"" + one_line(command_.bytes) + "\": cannot be read"};
    const auto set_up = from_fuzz_data(data).apply_to(program.options);
    const auto result = run_fuzz_input(program, data, true);
    keep("bytes", set_up, result);
    return say({program_, typed_, command_, set_up, result, "bytes", {}});
  }

  /// Saves a tape of the run, if asked to.
  void keep(const std::string& strategy, const simulation_options& set_up, const run_result& result) const {
    tape_error error;
    if (!command_.out.empty() &&
        !save_tape(make_tape(program_, command_.scenario, strategy, set_up, result), command_.out, error))
      throw unusable{error.message};
  }

  tape loaded() const {
    chosen(); // An unknown scenario is said first.
    tape_error error;
    auto recorded = load_tape(command_.tape, error);
    if (!recorded || !belongs_to(*recorded, program_, command_.scenario, command_.tape, error))
      throw unusable{error.message};
    return std::move(*recorded);
  }

  int replay_tape() {
    const auto recorded = loaded();
    tape_strategy order(recorded.decisions);
    const auto result = make_runner(chosen().body, recorded.options)(recorded.options.seed, order, true);
    std::string note;
    if (order.divergences() != 0)
      note = "the tape was not followed exactly: at " + std::to_string(order.divergences()) + " of " +
             std::to_string(order.decisions()) + " decisions (first: " + std::to_string(order.first_divergence() + 1) +
             ") the recorded event was not there; the program has changed since";
    else if (!order.followed_exactly() || result.trace_hash != recorded.trace_hash)
      note = "the run differs from the recorded one: the program has changed since";
    return say({program_, typed_, command_, recorded.options, result, recorded.strategy, note});
  }

  int say(const replay_report& report) const {
    std::cout << (command_.is_json ? to_json(report) : to_text(report)) << std::flush;
    if (!report.note.empty() && !command_.is_json)
      std::cerr << program_ << ": note: " << report.note << '\n';
    return report.result.is_failure() ? 1 : 0;
  }

  int shrink() {
    const auto recorded = loaded();
    tape_error error;
    if (!can_save_tape(command_.out, error))
      throw unusable{error.message};
    const auto shrunk = troupe::shrink(make_runner(chosen().body, recorded.options), recorded);
    if (!shrunk.reproduced)
      throw unusable{"tape \"" + one_line(command_.tape) + "\": leads to no failure, so there is nothing to shrink"};
    if (!save_tape(shrunk.shortest, command_.out, error))
      throw unusable{error.message};
    const shrink_report report{program_, typed_, command_, shrunk};
    std::cout << (command_.is_json ? to_json(report) : to_text(report)) << std::flush;
    return 1;
  }

  const scenario_set& scenarios_;
  const scenario_command& command_;
  std::string typed_;
  std::string program_;
};

} // namespace

int scenario_main(const scenario_set& scenarios, int argc, const char* const* argv) {
  const auto* program = argc > 0 ? argv[0] : "troupe";
  const auto command = parse_scenario_command(argc, argv);
  std::string problem = command.text;
  if (command.what == scenario_command::action::none && command.status == 0) {
    std::cout << command.text << std::flush;
    return 0;
  }
  if (command.what != scenario_command::action::none) {
    try {
      return command_runner(scenarios, command, program).run();
    } catch (const unusable& reason) {
      problem = reason.what;
    } catch (const std::exception& error) { // No process or no memory to be had.
      problem = one_line(error.what());
    }
  }
  std::cerr << std::filesystem::path(program).filename().string() << ": " << problem << std::endl;
  return 2;
}

} // namespace troupe
