// What a closing session proved: the report, as a value, as text and as JSON.
#pragma once
#include "actors/task_record.hpp"
#include "sessions/session_state.hpp"
#include <string>
#include <vector>

namespace troupe {

enum class survivor_kind : std::uint8_t { task, session, actor, resource };
const char* to_string(survivor_kind kind) noexcept;

/// Why a survivor is still there.
enum class survivor_verdict : std::uint8_t {
  running,         ///< A thread is inside of its code, or will be at its next turn.
  waiting_turn,    ///< Queued in an executor.
  waiting_timer,   ///< Sleeps until its timer is due.
  waiting_reply,   ///< Asked an actor that has not answered yet.
  waiting_task,    ///< Awaits another task.
  waiting_session, ///< Awaits a session's close.
  waiting_other,   ///< Awaits something else, named in `kept_alive_by`.
  never_completes, ///< Nothing that could wake it is left, or it awaits itself in a circle.
  unreleased,      ///< A resource whose closer has not ended, or must not run yet.
};
const char* to_string(survivor_verdict verdict) noexcept;

/// One piece of unfinished work, and what keeps it alive.
struct survivor {
  survivor_kind kind = survivor_kind::task;
  std::string id;                 ///< "s3.t7", "s4", "s3.actor2", "s3.resource1"
  std::string name;               ///< Its label; may be empty.
  std::string state;              ///< "scoped task, running"
  std::string executor;           ///< For tasks.
  std::string spawned_at;         ///< "checkout.cpp:42 (handle_order)"
  std::string parent;             ///< The task or session that started it.
  duration age = {};              ///< Since it was spawned.
  duration since_last_event = {}; ///< Since its last step or wake-up.
  std::string last_event;         ///< What that was.
  std::string kept_alive_by;      ///< In words: a queue, a timer, a reply, a task, a resource.
  survivor_verdict verdict = survivor_verdict::running;
};

/// How long a session was in one state.
struct phase_time {
  session_state state = session_state::starting;
  duration spent = {};
};

/// What became of a session. A value: it stays as it is while the session goes on.
struct cleanup_report {
  session_id id = {};
  std::string path; ///< "root/http/s7 'GET /orders'"
  std::string name;
  std::string opened_at;                             ///< The source location that opened it.
  session_state final_state = session_state::closed; ///< The state now; `closed` in a final report.
  close_outcome outcome = close_outcome::clean;      ///< As it would be if the session ended now.
  close_cause cause = close_cause::none;
  std::string first_error;                 ///< The primary error; empty if there was none.
  std::vector<std::string> further_errors; ///< At most `kept_errors`.
  std::uint64_t dropped_errors = 0;        ///< Further errors beyond those kept.
  std::vector<phase_time> phases;          ///< In order; states that were skipped are left out.
  std::vector<survivor> survivors;         ///< Unfinished work only.
  session_counters counters;
  std::uint64_t children_closed = 0;
  std::uint64_t children_dirty = 0;
  std::uint64_t children_failed = 0;
  std::vector<cleanup_report> children; ///< The first `kept_reports` unclean ones.

  static constexpr std::size_t kept_errors = 16;
  static constexpr std::size_t kept_reports = 64;

  bool is_clean() const noexcept { return outcome == close_outcome::clean && survivors.empty(); }
  /// For people: several lines, each ended by a newline.
  std::string to_text() const;
  /// For programs: one object on one line. Durations are in seconds.
  std::string to_json() const;
};

/// "file.cpp:42 (function)", the file without its directories.
std::string to_text(const source_location& where);
/// "1.5 s", "20 ms", "3 us"
std::string to_text(duration d);

} // namespace troupe
