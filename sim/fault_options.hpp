// What may go wrong in a simulated run, and how often.
#pragma once
#include "platform/dispatcher.hpp"
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A way for things to go wrong. See docs/simulator.md.
enum class fault_kind : std::uint8_t {
  crash,          ///< An actor ends, with all that it had not handled.
  node_crash,     ///< All actors of a node end at once.
  drop,           ///< A message between nodes is lost.
  duplicate,      ///< A message between nodes arrives twice.
  delay,          ///< A message between nodes takes longer.
  partition,      ///< Two nodes lose what they send each other, until it heals.
  one_way,        ///< One node loses what it sends to another, until it heals.
  reject,         ///< An executor refuses a task.
  lose,           ///< The thread that runs a task goes away: the task may have run, and is lost.
  point,          ///< A `fault_point` in the program under test.
  executor_crash, ///< An executor fails as a whole: what has begun on it is lost, what is queued is dispatched again.
};
inline constexpr std::size_t fault_kind_count = 11;
inline constexpr std::array<fault_kind, fault_kind_count> all_fault_kinds = {
    fault_kind::crash, fault_kind::node_crash, fault_kind::drop,          fault_kind::duplicate,
    fault_kind::delay, fault_kind::partition,  fault_kind::one_way,       fault_kind::reject,
    fault_kind::lose,  fault_kind::point,      fault_kind::executor_crash};
const char* to_string(fault_kind kind) noexcept;

/// The most faults of each kind that a run may meet. Which happen, and where, are decisions; choice 0 is none.
struct fault_options {
  std::uint32_t crash = 0;
  std::uint32_t node_crash = 0;
  std::uint32_t drop = 0;
  std::uint32_t duplicate = 0;
  std::uint32_t delay = 0;
  std::uint32_t partition = 0;
  std::uint32_t one_way = 0;
  std::uint32_t reject = 0;
  std::uint32_t lose = 0;
  std::uint32_t point = 0;
  std::uint32_t executor_crash = 0;

  platform::duration delayed_by = std::chrono::seconds(1);  ///< By how much `delay` makes a message late.
  platform::duration parted_for = std::chrono::seconds(10); ///< After what time a partition heals.
  platform::duration down_for = {};                         ///< After what time a crashed node restarts.
  /// How often something could go wrong in a run, about, so that faults are spread over it; 0: not known. Whoever makes
  /// a `runner` need not set it: it is measured.
  std::uint64_t opportunities = 0;

  std::uint32_t& of(fault_kind kind) noexcept;
  std::uint32_t of(fault_kind kind) const noexcept { return const_cast<fault_options&>(*this).of(kind); }
  std::uint64_t total() const noexcept;
};

/// All kinds, as `to_string` names them.
std::vector<std::string> fault_names();
/// The kinds with a budget: "crash=1,drop=2"; "none".
std::string to_text(const fault_options& faults);
/// The inverse; what is not about budgets stays as in `base`. @returns nothing if it is none; `error` then says why
std::optional<fault_options> parse_faults(std::string_view text, std::string& error, const fault_options& base = {});

} // namespace troupe
