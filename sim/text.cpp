// Small text helpers of the simulator's reports and command line.
#include "sim/text.hpp"
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace troupe {
namespace {

bool continues_code_point(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::optional<std::uint64_t> number(std::string_view text, int base) noexcept {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty())
    return std::nullopt;
  return value;
}

/// Levenshtein's distance.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

} // namespace

std::size_t text_width(std::string_view text) noexcept {
  return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues_code_point));
}

std::string fitted(std::string_view text, std::size_t width) {
  if (text_width(text) <= width)
    return std::string(text);
  if (width == 0)
    return {};
  std::size_t end = 0;
  for (std::size_t columns = 0; end < text.size(); ++end)
    if (!continues_code_point(text[end]) && columns++ == width - 1)
      break;
  return std::string(text.substr(0, end)) + "\u2026";
}

std::string padded(std::string_view text, std::size_t width) {
  auto result = fitted(text, width);
  result.append(width - text_width(result), ' ');
  return result;
}

std::string one_line(std::string_view text) {
  std::string result;
  for (char c : text) {
    bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (!is_control)
      result += c;
    else if (!result.empty() && result.back() != ' ')
      result += ' ';
  }
  while (!result.empty() && result.back() == ' ')
    result.pop_back();
  return result;
}

std::string duration_text(platform::duration span) {
  struct unit {
    std::int64_t nanoseconds;
    const char* name;
  };
  constexpr std::array units{unit{1'000'000'000, " s"}, unit{1'000'000, " ms"}, unit{1'000, " us"}, unit{1, " ns"}};
  auto count = std::chrono::duration_cast<std::chrono::nanoseconds>(span).count();
  if (count == 0)
    return "0";
  auto size = count < 0 ? -count : count;
  const auto& chosen = *std::find_if(units.begin(), units.end(), [&](const unit& u) { return size >= u.nanoseconds; });
  auto text = std::to_string(size / chosen.nanoseconds);
  if (auto rest = size % chosen.nanoseconds * 1000 / chosen.nanoseconds; rest != 0) {
    char decimals[8];
    std::snprintf(decimals, sizeof decimals, ".%03d", static_cast<int>(rest));
    text += decimals;
    while (text.back() == '0')
      text.pop_back();
  }
  return (count < 0 ? "-" : "") + text + chosen.name;
}

std::string hex_text(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

std::optional<std::uint64_t> unsigned_number(std::string_view text) noexcept { return number(text, 10); }

std::optional<std::uint64_t> hex_number(std::string_view text) noexcept {
  if (text.size() != 16 || text.find_first_not_of("0123456789abcdef") != text.npos)
    return std::nullopt;
  return number(text, 16);
}

std::string unknown_name(std::string_view what, std::string_view name, const std::vector<std::string>& known) {
  auto message = "unknown " + std::string(what) + " \"" + one_line(name) + "\"";
  const std::string* nearest = nullptr;
  auto distance = name.size() / 3 + 1; // One slip in a short word, more in a long one.
  for (const auto& candidate : known) {
    auto d = edits(name, candidate);
    if (d <= distance && (!nearest || d < distance)) {
      nearest = &candidate;
      distance = d;
    }
  }
  if (nearest)
    return message + "; did you mean \"" + *nearest + "\"?";
  if (known.empty())
    return message + "; there is none";
  message += "; known:";
  for (std::size_t i = 0; i < known.size(); ++i)
    message += (i == 0 ? " " : ", ") + known[i];
  return message;
}

} // namespace troupe
