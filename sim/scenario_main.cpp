// The command line that every program with scenarios gets.
#include "sim/command_line.hpp"
#include "sim/determinism.hpp"
#include "sim/edited_replay.hpp"
#include "sim/explanation.hpp"
#include "sim/explore.hpp"
#include "sim/fuzz_input.hpp"
#include "sim/runner.hpp"
#include "sim/scenario_report.hpp"
#include "sim/shrink.hpp"
#include "sim/strategies.hpp"
#include "sim/tape_strategy.hpp"
#include "sim/text.hpp"
#include "sim/text_file.hpp"
#include "sim/watched_process.hpp"
#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
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

/// Calls `work`, and says in one line why it could not be done. @returns its exit status
int said_by(const std::string& program, const std::function<int()>& work) {
  std::string problem;
  try {
    const auto status = work();
    if (std::cout.flush())
      return status;
    problem = "the results cannot be written to the standard output";
  } catch (const unusable& reason) {
    problem = reason.what;
  } catch (const std::exception& error) { // No process or no memory to be had.
    problem = one_line(error.what());
  }
  std::cerr << program << ": " << problem << std::endl;
  return 2;
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
      return watched([&] { return replay(); }, [&](const process_loss& loss) { return say_lost(loss); });
    case scenario_command::action::shrink:
      return watched([&] { return shrink(); },
                     [&](const process_loss& loss) -> int {
                       throw unusable{"cannot be shrunk, for the program " + loss_text(loss) + " meanwhile"};
                     });
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
    if (std::string error; !command_.faults.empty())
      result.faults = parse_faults(command_.faults, error, result.faults).value();
    return result;
  }

  strategy_factory factory(const runner& run, const simulation_options& set_up) const {
    return make_strategies(command_.strategy, run, set_up.model);
  }

  int explore() {
    const auto& program = chosen();
    auto set_up = options();
    check_report();
    if (tape_error error; !command_.out.empty() && !can_save_tape(command_.out, error))
      throw unusable{error.message};
    const auto run = make_runner(program.body, set_up);
    const auto strategies = factory(run, set_up);
    if (strategies.is_exhaustive && command_.first_seed != 0)
      throw unusable{"--first-seed: the strategy " + command_.strategy + " has no seeds; it begins with schedule 0"};
    const auto found = troupe::explore(run, strategies,
                                       {.first_seed = command_.first_seed,
                                        .seeds = command_.seeds,
                                        .jobs = command_.jobs,
                                        .failures = command_.failures,
                                        .checks_determinism = command_.checks_determinism,
                                        .limits = command_.limits});
    exploration_report report{program_, typed_, command_, set_up, found, {}};
    const auto tell = [&](bool shrinks, const std::string& note) {
      std::optional<tape_error> not_saved;
      for (const auto& cause : found.causes) {
        auto& known = report.causes.emplace_back();
        known.note = note;
        if (cause.is_lost && !cause.unfinished)
          continue;
        set_up.seed = strategies.program_seed(cause.seed);
        auto recorded = make_tape(program_, program.name, command_.strategy, set_up, cause.failure);
        if (cause.is_lost) {
          recorded.options.seed = cause.unfinished->seed;
          recorded.options.model = cause.unfinished->model;
          recorded.decisions = cause.unfinished->decisions;
        } else if (shrinks && cause.failure.end != verdict::nondeterminism &&
                   cause.failure.end != verdict::step_limit) { // No schedule is the shortest of those that never end.
          known.shrunk = troupe::shrink(run, recorded);
          if (known.shrunk->run.end == cause.failure.end)
            recorded = known.shrunk->shortest;
          else
            known.shrunk.reset();
          known.explained = explain(run, recorded);
        }
        tape_error error;
        if (auto path = save(recorded, cause.seed, report.causes.size(), error); !path.empty())
          known.tape = path;
        else
          not_saved = error;
        if (known.explained && !command_.report.empty()) {
          known.page = numbered(command_.report, report.causes.size());
          write_report(known.page, *known.explained, facts_of(report, cause, known));
        }
      }
      std::cout << (command_.is_json ? to_json(report) : to_text(report)) << std::flush;
      if (not_saved)
        throw unusable{not_saved->message};
      return found.causes.empty() ? 0 : 1;
    };
    // Shrinking runs schedules that nobody has seen: they may end the process, or never end.
    return watched([&] { return tell(true, {}); },
                   [&](const process_loss& loss) {
                     return tell(false, "not shrunk, for the program " + loss_text(loss) + " meanwhile");
                   });
  }

  /// Calls `work` in a process of its own, so that a run that is lost is told of. @returns its exit status
  int watched(const std::function<int()>& work, const std::function<int(const process_loss&)>& if_lost) const {
    const auto end = call_watched([&] { return said_by(program_, work); }, command_.limits);
    return end.loss ? if_lost(*end.loss) : end.status;
  }

  static std::string loss_text(const process_loss& loss) {
    return std::string(to_string(loss.how)) + ": " + loss.message;
  }

  /// Where the user said, or in the current directory, or if that cannot be written, where temporary files go.
  std::string save(const tape& recorded, std::uint64_t seed, std::size_t number, tape_error& error) const {
    std::vector<std::string> places{number == 1 ? command_.out : command_.out + "." + std::to_string(number)};
    if (command_.out.empty()) {
      const auto name = file_name(recorded.scenario, seed);
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

  void check_report() const {
    if (!command_.report.empty())
      refuse_report(command_.report, can_write_file(command_.report));
  }
  void write_report(const std::string& path, const explanation& explained, const report_facts& facts) const {
    refuse_report(path, save_report(path, command_.format, explained, facts));
  }
  static void refuse_report(const std::string& path, std::error_code problem) {
    if (problem)
      throw unusable{"report \"" + one_line(path) + "\": cannot be written: " + problem.message()};
  }
  /// The second cause's report of "found.html" is "found.2.html".
  static std::string numbered(const std::string& path, std::size_t number) {
    if (number == 1)
      return path;
    auto name = std::filesystem::path(path);
    const auto ending = name.extension().string();
    return name.replace_extension("." + std::to_string(number) + ending).string();
  }

  static std::string file_name(std::string name, std::uint64_t seed) {
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '/' || static_cast<unsigned char>(c) <= ' '; }, '_');
    return name + "-" + std::to_string(seed) + ".tape";
  }

  int replay() {
    if (!command_.bytes.empty())
      return replay_bytes();
    return command_.tape.empty() ? replay_seed() : replay_tape();
  }

  int say_lost(const process_loss& loss) const {
    explanation lost;
    lost.run.result.end = loss.how;
    lost.run.result.message = loss.message;
    auto set_up = options();
    auto strategy = command_.strategy;
    if (!command_.tape.empty()) {
      const auto recorded = loaded();
      set_up = recorded.options;
      strategy = recorded.strategy;
    } else if (!command_.bytes.empty()) {
      set_up = from_fuzz_data(read_bytes(command_.bytes)).apply_to(chosen().options);
      strategy = "bytes";
    }
    if (loss.run) {
      set_up.seed = loss.run->seed;
      lost.run.result.model = loss.run->model;
      lost.run.result.decisions = loss.run->decisions;
      keep(strategy, set_up, {lost.run.result, {}});
    }
    return say({program_, typed_, command_, set_up, lost, strategy, {}});
  }

  int replay_seed() {
    auto set_up = options();
    check_report();
    const auto run = make_runner(chosen().body, set_up);
    const auto strategies = factory(run, set_up);
    auto order = strategies(*command_.seed);
    if (!order)
      throw unusable{"--seed " + std::to_string(*command_.seed) + ": the strategy " + command_.strategy +
                     " has fewer schedules"};
    set_up.seed = strategies.program_seed(*command_.seed);
    repetition twice(run, set_up.seed, *order);
    keep(command_.strategy, set_up, twice.first);
    const auto explained = explain(run, set_up.seed, if_repeated(twice));
    return say({program_, typed_, command_, set_up, explained, command_.strategy, {}});
  }

  /// The run, or if it is another one when it is made again, that with `verdict::nondeterminism`.
  static recorded_run if_repeated(repetition& twice) {
    return std::move(twice.differs_again() ? twice.failure() : twice.first);
  }

  int replay_bytes() {
    check_report();
    const auto& program = chosen();
    const auto data = read_bytes(command_.bytes);
    const auto set_up = from_fuzz_data(data).apply_to(program.options);
    bytes_strategy order(from_fuzz_data(data).decisions);
    const auto run = make_runner(program.body, set_up);
    repetition twice(run, set_up.seed, order);
    keep("bytes", set_up, twice.first);
    const auto explained = explain(run, set_up.seed, if_repeated(twice));
    return say({program_, typed_, command_, set_up, explained, "bytes", {}});
  }

  /// A fuzzer's input.
  static std::vector<std::uint8_t> read_bytes(const std::string& path) {
    constexpr std::size_t longest = 1 << 24;
    std::error_code ignored;
    std::ifstream file(path, std::ios::binary);
    if (!file || std::filesystem::is_directory(path, ignored))
      throw unusable{"input \"" + one_line(path) + "\": cannot be read"};
    std::vector<std::uint8_t> data;
    for (char byte = 0; file.get(byte);) {
      data.push_back(static_cast<std::uint8_t>(byte));
      if (data.size() > longest) // It may be a device that never ends.
        throw unusable{"input \"" + one_line(path) + "\": has more than " + std::to_string(longest >> 20) +
                       " MB, which no fuzzer writes"};
    }
    return data;
  }

  /// Saves a tape of the run, if asked to.
  void keep(const std::string& strategy, const simulation_options& set_up, const recorded_run& recorded) const {
    tape_error error;
    if (!command_.out.empty() &&
        !save_tape(make_tape(program_, command_.scenario, strategy, set_up, recorded.result, recorded.record),
                   command_.out, error))
      throw unusable{error.message};
  }

  tape loaded() const {
    chosen(); // An unknown scenario is said first.
    tape_error error;
    if (std::error_code ignored; std::filesystem::is_character_file(command_.tape, ignored))
      throw unusable{"tape \"" + one_line(command_.tape) + "\": is a device, and not a file"};
    auto recorded = load_tape(command_.tape, error);
    if (!recorded || !belongs_to(*recorded, program_, command_.scenario, command_.tape, error))
      throw unusable{error.message};
    return std::move(*recorded);
  }

  int replay_tape() {
    check_report();
    const auto recorded = loaded();
    const auto run = make_runner(chosen().body, recorded.options);
    tape_strategy order(recorded.decisions);
    repetition twice(run, recorded.options.seed, order);
    const bool is_exact = order.followed_exactly();
    auto result = if_repeated(twice);
    std::string note;
    if (result.result.end != verdict::nondeterminism &&
        (!is_exact || result.result.trace_hash != recorded.trace_hash)) {
      note = "the run differs from the recorded one: the program has changed since";
      if (order.divergences() != 0)
        note = "the tape was not followed exactly: at " + std::to_string(order.divergences()) + " of " +
               std::to_string(order.decisions()) +
               " decisions (first: " + std::to_string(order.first_divergence() + 1) +
               ") the recorded event was not there; the program has changed since";
      if (!recorded.order.events.empty()) {
        auto edited = replay_edited(run, recorded, std::move(result));
        note = edit_note(edited, recorded);
        result = std::move(edited.run);
      }
    }
    const auto explained = explain(run, recorded.options.seed, std::move(result));
    return say({program_, typed_, command_, recorded.options, explained, recorded.strategy, note});
  }

  int say(const replay_report& report) const {
    if (!command_.report.empty())
      write_report(command_.report, report.explained, facts_of(report));
    std::cout << (command_.is_json ? to_json(report) : to_text(report)) << std::flush;
    if (!report.note.empty() && !command_.is_json)
      std::cerr << program_ << ": note: " << report.note << '\n';
    return report.explained.run.result.is_failure() ? 1 : 0;
  }

  int shrink() {
    check_report();
    const auto recorded = loaded();
    tape_error error;
    if (!can_save_tape(command_.out, error))
      throw unusable{error.message};
    const auto run = make_runner(chosen().body, recorded.options);
    const auto shrunk = troupe::shrink(run, recorded);
    if (!shrunk.reproduced)
      throw unusable{"tape \"" + one_line(command_.tape) + "\": leads to no failure, so there is nothing to shrink"};
    if (!save_tape(shrunk.shortest, command_.out, error))
      throw unusable{error.message};
    const auto explained = explain(run, shrunk.shortest);
    const shrink_report report{program_, typed_, command_, shrunk, explained};
    if (!command_.report.empty())
      write_report(command_.report, explained, facts_of(report));
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
  if (command.what != scenario_command::action::none)
    return said_by(name_of(program), [&] { return command_runner(scenarios, command, program).run(); });
  if (command.status == 0)
    std::cout << command.text << std::flush;
  else
    std::cerr << name_of(program) << ": " << command.text << std::endl;
  return command.status;
}

} // namespace troupe
