// How command lines are written for Windows' cmd.
#include "sim/seed_test.hpp"
#include "sim/text.hpp"

namespace troupe {

std::string shell_word(std::string_view text) {
  constexpr std::string_view harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./\\:+@";
  if (!text.empty() && text.find_first_not_of(harmless) == text.npos)
    return std::string(text);
  // Programs take the word apart, not cmd: a backslash counts only where a quotation mark follows it.
  std::string result = "\"";
  std::size_t backslashes = 0;
  for (char c : text) {
    if (c == '"')
      result.append(backslashes + 1, '\\');
    backslashes = c == '\\' ? backslashes + 1 : 0;
    result += c;
  }
  return result.append(backslashes, '\\') + '"';
}

std::string one_seed_prefix(std::uint64_t seed) {
  return "set \"SEED=" + std::to_string(seed) + "\"& set \"ITERATIONS=1\"& ";
}

} // namespace troupe
