// What may go wrong in a simulated run, as options and as text.
#include "sim/fault_options.hpp"
#include "sim/text.hpp"
#include <algorithm>
#include <limits>
#include <vector>

namespace troupe {
namespace {

constexpr const char* names[fault_kind_count] = {"crash", "node_crash", "drop",          "duplicate",
                                                 "delay", "partition",  "one_way",       "reject",
                                                 "lose",  "point",      "executor_crash"};
constexpr std::uint64_t most = 1'000'000;

struct span_name {
  const char* name;
  platform::duration fault_options::*span;
};
constexpr span_name spans[] = {{"delayed_by_ns", &fault_options::delayed_by},
                               {"parted_for_ns", &fault_options::parted_for},
                               {"down_for_ns", &fault_options::down_for}};

} // namespace

const char* to_string(fault_kind kind) noexcept {
  auto index = static_cast<std::size_t>(kind);
  return index < fault_kind_count ? names[index] : "unknown";
}

std::uint32_t& fault_options::of(fault_kind kind) noexcept {
  constexpr std::uint32_t fault_options::*all[] = {
      &fault_options::crash, &fault_options::node_crash, &fault_options::drop,          &fault_options::duplicate,
      &fault_options::delay, &fault_options::partition,  &fault_options::one_way,       &fault_options::reject,
      &fault_options::lose,  &fault_options::point,      &fault_options::executor_crash};
  return this->*all[static_cast<std::size_t>(kind)];
}

std::uint64_t fault_options::total() const noexcept {
  std::uint64_t sum = 0;
  for (auto kind : all_fault_kinds)
    sum += of(kind);
  return sum;
}

std::vector<std::string> fault_names() { return {std::begin(names), std::end(names)}; }

std::string to_text(const fault_options& faults) {
  std::string text;
  const auto add = [&](const char* name, std::uint64_t value) {
    text += (text.empty() ? "" : ",") + std::string(name) + "=" + std::to_string(value);
  };
  for (auto kind : all_fault_kinds)
    if (auto budget = faults.of(kind))
      add(to_string(kind), budget);
  if (text.empty())
    return "none";
  for (auto& each : spans)
    if (faults.*each.span != fault_options{}.*each.span)
      add(each.name,
          static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(faults.*each.span).count()));
  return text;
}

std::optional<fault_options> parse_faults(std::string_view text, std::string& error, const fault_options& base) {
  fault_options result = base;
  for (auto kind : all_fault_kinds)
    result.of(kind) = 0;
  if (text == "none")
    return result;
  std::vector<std::string_view> named;
  for (auto rest = text;;) {
    auto one = rest.substr(0, rest.find(','));
    auto name = one.substr(0, one.find('='));
    constexpr auto none = std::numeric_limits<std::uint64_t>::max();
    const auto value = unsigned_number(one.substr(std::min(one.size(), name.size() + 1))).value_or(none);
    std::size_t kind = 0;
    while (kind < fault_kind_count && name != names[kind])
      ++kind;
    const span_name* span = nullptr;
    for (auto& each : spans)
      if (name == each.name)
        span = &each;
    if (kind == fault_kind_count && !span) {
      error = unknown_name("fault", name, {std::begin(names), std::end(names)});
      return std::nullopt;
    }
    if (std::find(named.begin(), named.end(), name) != named.end()) {
      error = "\"" + one_line(text) + "\": " + std::string(name) + " is given more than once";
      return std::nullopt;
    }
    named.push_back(name);
    if (value > (span ? std::uint64_t{1} << 60 : most)) {
      error = "\"" + one_line(one) + "\": expected " + std::string(name) + "=NUMBER, a number from 0 to " +
              std::to_string(most);
      return std::nullopt;
    }
    if (span)
      result.*span->span = std::chrono::nanoseconds(static_cast<std::int64_t>(value));
    else
      result.of(static_cast<fault_kind>(kind)) = static_cast<std::uint32_t>(value);
    if (one.size() == rest.size())
      return result;
    rest.remove_prefix(one.size() + 1);
  }
}

} // namespace troupe
