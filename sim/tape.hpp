// Tapes as files: everything it takes to have one schedule again.
#pragma once
#include "sim/event_record.hpp"
#include "sim/run_result.hpp"
#include "sim/simulation_options.hpp"
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace troupe {

/// A schedule and what it belongs to.
struct tape {
  std::string program;             ///< File name of the program, without its folder.
  std::string scenario;            ///< Name of the scenario.
  std::string strategy = "random"; ///< What decided when it was recorded.
  /// The options that decide what a run does: seed, model, max_steps, randomize_order, randomize_delays,
  /// fail_on_failed_session, fail_on_step_limit, temperature_max, faults. The others are not kept.
  simulation_options options = {};
  verdict end = verdict::ok;    ///< What it led to.
  std::uint64_t trace_hash = 0; ///< The trace that it led to.
  std::vector<decision> decisions;
  std::string message; ///< The first line of why it failed, if it did.
  /// All events, decided or not, so that the schedule can be found again in a program that has been edited since; may
  /// be empty.
  event_record order = {};
};

/// Why a tape cannot be used.
enum class tape_errc {
  unreadable = 1, ///< The file cannot be opened or read.
  unwritable,     ///< The file cannot be created or written.
  not_a_tape,     ///< It does not start as a tape does.
  other_version,  ///< A tape of another format.
  truncated,      ///< It ends early.
  corrupted,      ///< It was damaged or edited: its checksum or a line is wrong.
  other_program,  ///< It was recorded with another program.
  other_scenario, ///< It was recorded with another scenario.
};
const std::error_category& tape_category() noexcept;
/// Lets a tape_errc be used as a std::error_code.
std::error_code make_error_code(tape_errc code) noexcept;

/// What went wrong, for programs and for people.
struct tape_error {
  std::error_code code;
  std::string message; ///< One line.
};

/// Decisions that differ from the default order: those that are not choice 0.
std::uint64_t deviations(const std::vector<decision>& decisions) noexcept;

/// A tape of what `result` recorded. An `order` of very many events is left out.
tape make_tape(std::string program, std::string scenario, std::string strategy, const simulation_options& options,
               const run_result& result, event_record order = {});

/// The text of a tape file: a header of `name: value` lines, then one line per decision, and then, if it is known, the
/// order of all events, one a line.
std::string to_text(const tape& recorded);

/// The inverse. `name` is what messages call the text by. @returns nothing on failure; `error` then says why.
std::optional<tape> parse_tape(std::string_view text, std::string_view name, tape_error& error);

/// Reads a tape file. @returns nothing on failure; `error` then says why.
std::optional<tape> load_tape(const std::string& path, tape_error& error);

/// Writes a tape file, whole or not at all: what was there before stays until the new file is complete.
/// @returns false on failure; `error` then says why.
bool save_tape(const tape& recorded, const std::string& path, tape_error& error);

/// Whether `save_tape` has a chance: to be told before hours of searching rather than after. @returns false if not;
/// `error` then says why.
bool can_save_tape(const std::string& path, tape_error& error);

/// Whether the tape was recorded with this program and scenario. @returns false if not; `error` then says so.
bool belongs_to(const tape& recorded, std::string_view program, std::string_view scenario, std::string_view name,
                tape_error& error);

} // namespace troupe

template <>
struct std::is_error_code_enum<troupe::tape_errc> : std::true_type {};
