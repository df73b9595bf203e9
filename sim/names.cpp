// The simulator's enumerators by name.
#include "sim/names.hpp"
#include <array>

namespace troupe {
namespace {

constexpr std::array decision_kinds{"event", "delay", "random", "fault"};
constexpr std::array event_kinds{"arrival", "handle", "start", "step", "timer", "fault", "value"};
constexpr std::array verdicts{"ok",         "exception",      "failed",       "dangling", "deadlock",
                              "step_limit", "nondeterminism", "invariant",    "liveness", "foreign_thread",
                              "crashed",    "hung",           "out_of_memory"};
constexpr std::array order_models{"local", "atomic", "network", "unordered"};

template <std::size_t Size, class Enum>
const char* name_of(const std::array<const char*, Size>& names, Enum value) noexcept {
  auto index = static_cast<std::size_t>(value);
  return index < Size ? names[index] : "unknown";
}

template <class Enum, std::size_t Size>
std::optional<Enum> value_of(const std::array<const char*, Size>& names, std::string_view name) noexcept {
  for (std::size_t index = 0; index < Size; ++index)
    if (names[index] == name)
      return static_cast<Enum>(index);
  return std::nullopt;
}

} // namespace

const char* to_string(decision_kind kind) noexcept { return name_of(decision_kinds, kind); }
const char* to_string(event_kind kind) noexcept { return name_of(event_kinds, kind); }
const char* to_string(verdict v) noexcept { return name_of(verdicts, v); }
const char* to_string(order_model model) noexcept { return name_of(order_models, model); }

std::optional<decision_kind> decision_kind_named(std::string_view name) noexcept {
  return value_of<decision_kind>(decision_kinds, name);
}
std::optional<event_kind> event_kind_named(std::string_view name) noexcept {
  return value_of<event_kind>(event_kinds, name);
}
std::optional<verdict> verdict_named(std::string_view name) noexcept { return value_of<verdict>(verdicts, name); }
std::vector<std::string> order_model_names() { return {order_models.begin(), order_models.end()}; }
std::optional<order_model> order_model_named(std::string_view name) noexcept {
  return value_of<order_model>(order_models, name);
}

} // namespace troupe
