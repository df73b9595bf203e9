// The words that sessions and their reports are described with.
#pragma once
#include "actors/errors.hpp"
#include "actors/ids.hpp"
#include "platform/dispatcher.hpp"
#include <chrono>
#include <cstdint>
#include <optional>

namespace troupe {

/// The life of a session. It only ever moves downwards in this list, and may skip states.
enum class session_state : std::uint8_t {
  starting,   ///< Being opened; accepts work already.
  open,       ///< Accepts work.
  draining,   ///< Refuses new work; daemons are cancelled, scoped tasks settle, then child sessions close.
  grace,      ///< Only wait_until tasks are left, and still shielded.
  cancelling, ///< Everything left was told to stop.
  killing,    ///< The budget is spent: running closures are abandoned, actors killed.
  closed,     ///< For good; the report is final.
};
inline constexpr std::size_t session_state_count = 7;
const char* to_string(session_state state) noexcept;

/// What a closed session proved.
enum class close_outcome : std::uint8_t {
  clean,  ///< Everything it owned has ended.
  dirty,  ///< Something survived, was left unreleased, or had to be given up on; the report names it.
  failed, ///< A failure that its policy does not ignore; the report has the error (and survivors, if any).
};
const char* to_string(close_outcome outcome) noexcept;

/// What an orderly close does with scoped tasks that are still unfinished.
enum class join_mode : std::uint8_t {
  join,   ///< Waits for them (within the grace budget).
  cancel, ///< Cancels them.
  report, ///< Takes them for a mistake: names them in the report, then cancels them.
};

/// What a session does when one of its tasks throws.
enum class failure_policy : std::uint8_t {
  fail_session, ///< Cancels the others and closes as failed; the first error is primary, later ones are attached.
  collect,      ///< Goes on; the errors are in the report, and the outcome is failed.
  log,          ///< Goes on; the error is logged and counted.
};

using platform::duration;
using platform::time_point;

/// How a session is opened.
struct session_options {
  label name = {};
  std::optional<duration> deadline = {};     ///< From now on; a child never outlives its parent's deadline.
  duration grace = std::chrono::seconds{30}; ///< How long a close waits before it cancels (half the budget at most).
  duration shutdown_budget = std::chrono::seconds{60}; ///< For the whole close; a child gets what its parent has left.
  join_mode on_close = join_mode::join;
  failure_policy on_failure = failure_policy::fail_session;
};

/// What became of a session's tasks.
struct session_counters {
  std::uint64_t spawned = 0; ///< Admitted; the sum of all settled and unfinished ones.
  std::uint64_t ok = 0;
  std::uint64_t failed = 0; ///< Threw, or were lost with their executor.
  std::uint64_t cancelled = 0;
  std::uint64_t rejected = 0; ///< Refused by the session (those are not in `spawned`) or by a full executor.
  std::uint64_t abandoned = 0;
  std::uint64_t stale = 0;       ///< Results that came after shutdown had given up on them.
  std::uint64_t handed_over = 0; ///< Detached to another session.
  std::uint64_t taken_over = 0;  ///< Detached from other sessions to this one.
};

/// The longest duration that a deadline or budget may have: clocks must not overflow.
inline constexpr duration duration_limit = std::chrono::hours{24 * 365 * 20};
constexpr duration clamp_duration(duration d) noexcept {
  return d < duration::zero() ? duration::zero() : d > duration_limit ? duration_limit : d;
}

} // namespace troupe
