// How urgent a piece of work is within its lane.
#pragma once
#include <cstddef>
#include <cstdint>

namespace troupe {

/// Urgency within one lane. It weighs who runs next there; it never chooses the thread, and it never starves
/// anyone: of any `priority_weight_sum` consecutive picks in a lane, each class that is never empty meanwhile gets at
/// least its weight. Where a lane has several threads, that holds for the picks of each of them.
enum class priority : std::uint8_t { background, normal, foreground, critical };

inline constexpr std::size_t priority_count = 4;
/// Picks per round for each class, indexed by `priority`.
inline constexpr unsigned priority_weights[priority_count] = {1, 2, 4, 8};
inline constexpr unsigned priority_weight_sum = 15;

/// The class's name as printed in reports.
constexpr const char* to_string(priority p) noexcept {
  switch (p) {
  case priority::background:
    return "background";
  case priority::normal:
    return "normal";
  case priority::foreground:
    return "foreground";
  case priority::critical:
    return "critical";
  }
  return "?";
}

} // namespace troupe
