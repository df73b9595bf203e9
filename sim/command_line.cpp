// The command line of scenario programs, taken apart by CLI11.
#include "sim/command_line.hpp"
#include "sim/explore_workers.hpp"
#include "sim/names.hpp"
#include "sim/strategies.hpp"
#include "sim/text.hpp"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <set>
#include <sstream>

namespace troupe {
namespace {

constexpr auto largest = std::numeric_limits<std::uint64_t>::max();

/// A validator that takes whole decimal numbers between two bounds, and nothing that only resembles them.
CLI::Validator number_within(std::uint64_t least, std::uint64_t most) {
  return CLI::Validator(
      [least, most](const std::string& text) {
        auto value = unsigned_number(text);
        return value && *value >= least && *value <= most
                   ? std::string()
                   : "\"" + text + "\" is not a number from " + std::to_string(least) + " to " + std::to_string(most);
      },
      "");
}

CLI::Validator known_strategy() {
  return CLI::Validator([](const std::string& text) { return strategy_problem(text); }, "");
}

CLI::Validator known_model() {
  return CLI::Validator(
      [](const std::string& text) {
        return order_model_named(text) ? std::string() : unknown_name("order model", text, order_model_names());
      },
      "");
}

CLI::Validator known_faults() {
  return CLI::Validator(
      [](const std::string& text) {
        std::string error;
        return parse_faults(text, error) ? std::string() : error;
      },
      "");
}

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const auto& word : words)
    result += (result.empty() ? "" : ", ") + word;
  return result;
}

class parser {
public:
  parser() {
    app_.require_subcommand(1);
    app_.footer("Exit status: 0 no failure, 1 a failure was found, 2 unusable arguments or input.");
    add(scenario_command::action::list, "list", "Names the scenarios");

    auto& explore = add(scenario_command::action::explore, "explore", "Runs a scenario under many seeds");
    add_name(explore);
    explore.add_option("--seeds", seeds_, "How many seeds at most (1000)")->check(number_within(1, largest));
    explore.add_option("--first-seed", first_seed_, "The first of them (0)")->check(number_within(0, largest));
    add_run_options(explore);
    explore.add_option("--jobs", jobs_, "Processes to spread them over (1)")->check(number_within(1, 256));
    explore.add_option("--failures", failures_, "Failing schedules to find before it stops; by causes (1)")
        ->check(number_within(1, largest));
    explore.add_flag("--check-determinism", result_.checks_determinism,
                     "Runs every schedule twice: a difference is a failure");
    add_limits(explore);
    explore.add_flag("--json", result_.is_json, "One JSON object instead of text");
    explore.add_option("--tape-out", result_.out, "Where the tape of a failure goes (SCENARIO-SEED.tape)")
        ->check(not_empty());
    add_report(explore);

    auto& replay = add(scenario_command::action::replay, "replay", "Runs one schedule again");
    add_name(replay);
    auto* seed =
        replay.add_option("--seed", seed_, "The schedule that this seed leads to")->check(number_within(0, largest));
    auto* tape = replay.add_option("--tape", result_.tape, "The schedule on this tape")->check(not_empty());
    auto* bytes = replay.add_option("--bytes", result_.bytes, "The schedule that this input of a fuzzer leads to")
                      ->check(not_empty());
    auto* kept = replay.add_option("--tape-out", result_.out, "Where a tape of it goes")->check(not_empty());
    seed->excludes(tape)->excludes(bytes);
    tape->excludes(bytes)->excludes(kept);
    for (auto* option : add_run_options(replay))
      option->excludes(tape)->excludes(bytes); // A tape holds them, and fuzzing runs without.
    add_limits(replay);
    replay.add_flag("--trace", result_.is_traced, "Lists every event");
    add_report(replay);
    replay.add_flag("--json", result_.is_json, "One JSON object instead of text");

    auto& shrink = add(scenario_command::action::shrink, "shrink", "Shortens the tape of a failure");
    add_name(shrink);
    shrink.add_option("--tape", result_.tape, "The failing tape")->required()->check(not_empty());
    shrink.add_option("--out", result_.out, "Where the shrunk tape goes")->required()->check(not_empty());
    add_limits(shrink);
    shrink.add_flag("--json", result_.is_json, "One JSON object instead of text");
    add_report(shrink);
  }

  scenario_command parse(int argc, const char* const* argv) {
    app_.name(argc > 0 ? argv[0] : "PROGRAM");
    const std::string_view first = argc < 2 ? "" : argv[1];
    if (first.empty() || (first.front() == '-' && first != "-h" && first != "--help"))
      return failure("expected a command first: list, explore, replay or shrink (--help says more)");
    if (first.front() != '-' && !commands_.count(std::string(first)))
      return failure(unknown_name("command", first, {"list", "explore", "replay", "shrink"}));
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ExtrasError&) {
      return failure(unexpected());
    } catch (const CLI::ArgumentMismatch& error) {
      // Its own words are about numbers of arguments.
      const std::string_view text = error.what();
      if (text.find("At Most 1") == text.npos)
        return failure(text);
      return failure(std::string(text.substr(0, text.find(':'))) + " is given more than once");
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() != 0)
        return failure(error.what());
      std::ostringstream help, ignored;
      app_.exit(error, help, ignored);
      result_.text = help.str();
      return result_;
    }
    return checked();
  }

private:
  /// What is wrong with words that nobody asked for.
  std::string unexpected() const {
    const auto commands = app_.get_subcommands();
    const auto& command = commands.empty() ? app_ : *commands.front();
    std::vector<std::string> known;
    for (const auto* option : command.get_options())
      for (const auto& name : option->get_lnames())
        known.push_back("--" + name);
    auto words = command.remaining();
    for (const auto& word : words)
      if (word.size() > 1 && word.front() == '-')
        return unknown_name("option", word.substr(0, word.find('=')), known);
    return "unexpected \"" + (words.empty() ? "" : one_line(words.back())) + "\": " + command.get_name() +
           (command.get_name() == "list" ? " takes nothing" : " takes one scenario, and options that begin with --");
  }

  static CLI::Validator not_empty() {
    return CLI::Validator([](const std::string& text) { return text.empty() ? "a file name is missing" : ""; }, "");
  }

  CLI::App& add(scenario_command::action what, const char* name, const char* description) {
    commands_.insert(name);
    auto* command = app_.add_subcommand(name, description);
    command->callback([this, what] { result_.what = what; });
    return *command;
  }

  void add_name(CLI::App& command) { command.add_option("NAME", result_.scenario, "The scenario"); }

  void add_report(CLI::App& command) {
    auto* report =
        command
            .add_option("--report", result_.report,
                        "Where a report of the run goes: a page (.html), JSON lines (.jsonl), a Perfetto trace "
                        "(.json) or text (.txt)")
            ->check(not_empty());
    command.add_option("--format", format_, "What the report is, whatever its name: html, jsonl, perfetto or text")
        ->needs(report)
        ->check(CLI::Validator(
            [](const std::string& text) {
              return report_format_named(text) ? std::string()
                                               : unknown_name("format", text, {"html", "jsonl", "perfetto", "text"});
            },
            ""));
  }

  std::vector<CLI::Option*> add_run_options(CLI::App& command) {
    return {
        command
            .add_option("--strategy", result_.strategy,
                        "What decides: " + joined(strategy_names()) + "; some take :parameter=number (portfolio)")
            ->check(known_strategy()),
        command.add_option("--max-steps", max_steps_, "Events after which a run has failed")
            ->check(number_within(1, largest)),
        command.add_option("--model", model_, "What can interleave: " + joined(order_model_names()))
            ->check(known_model()),
        command
            .add_option("--faults", result_.faults,
                        "What may go wrong, and how often: kind=number,...; kinds: " + joined(fault_names()) +
                            " (none)")
            ->check(known_faults()),
    };
  }

  void add_limits(CLI::App& command) {
    command.add_option("--step-timeout", step_timeout_, "Seconds that one event may take, 0 for any number (10)")
        ->check(number_within(0, 1'000'000));
    command.add_option("--memory-max", memory_max_, "MB of memory that a run may take, 0 for any number (1024)")
        ->check(number_within(0, 1'000'000'000));
  }

  scenario_command failure(std::string_view message) const {
    scenario_command result;
    result.text = one_line(message);
    result.status = 2;
    return result;
  }

  static void read(const std::string& text, std::uint64_t& value) { value = unsigned_number(text).value_or(value); }

  scenario_command checked() {
    if (result_.what != scenario_command::action::list && app_.get_subcommands().front()->count("NAME") == 0)
      return failure("which scenario? NAME is missing; list names them");
    read(seeds_, result_.seeds);
    read(first_seed_, result_.first_seed);
    std::uint64_t jobs = result_.jobs;
    read(jobs_, jobs);
    result_.jobs = static_cast<unsigned>(jobs);
    if (result_.jobs > most_jobs())
      return failure("--jobs: a program has no other processes here, so 1 is the most there can be");
    read(failures_, result_.failures);
    if (auto seconds = unsigned_number(step_timeout_))
      result_.limits.step_timeout = std::chrono::seconds{*seconds};
    if (auto megabytes = unsigned_number(memory_max_))
      result_.limits.memory_max = *megabytes << 20;
    if (result_.limits.step_timeout.count() != 0 && !step_timeout_.empty() && !can_watch_processes())
      return failure("--step-timeout: a program has no other process here that could watch it; 0 is all there can be");
    if (result_.limits.memory_max != 0 && !memory_max_.empty() && !can_limit_memory())
      return failure("--memory-max: the memory of a process cannot be seen here; 0 is all there can be");
    result_.max_steps = unsigned_number(max_steps_);
    result_.seed = unsigned_number(seed_);
    result_.model = order_model_named(model_);
    if (!result_.report.empty()) {
      const auto format = format_.empty() ? report_format_of_file(result_.report) : report_format_named(format_);
      if (!format)
        return failure(
            "--report: the name \"" + result_.report +
            "\" does not say what it is to be: let it end in .html, .jsonl, .json (Perfetto) or .txt, or give "
            "--format html, jsonl, perfetto or text");
      result_.format = *format;
    }
    if (result_.seeds - 1 > largest - result_.first_seed)
      return failure("--seeds: " + seeds_ + " seeds from " + first_seed_ + " on go beyond " + std::to_string(largest));
    if (result_.what == scenario_command::action::replay && !result_.seed && result_.tape.empty() &&
        result_.bytes.empty())
      return failure("replay needs --seed, --tape or --bytes");
    return result_;
  }

  CLI::App app_{"Runs the scenarios of this program in Troupe's simulator."};
  std::set<std::string> commands_;
  scenario_command result_;
  std::string seeds_, first_seed_, seed_, max_steps_, jobs_, model_, failures_, step_timeout_, memory_max_, format_;
};

} // namespace

scenario_command parse_scenario_command(int argc, const char* const* argv) { return parser().parse(argc, argv); }

} // namespace troupe
