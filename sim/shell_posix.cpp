// How command lines are written for a POSIX shell.
#include "sim/seed_test.hpp"
#include "sim/text.hpp"

namespace troupe {

std::string shell_word(std::string_view text) {
  constexpr std::string_view harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=+,@%";
  if (!text.empty() && text.find_first_not_of(harmless) == text.npos)
    return std::string(text);
  std::string result = "'";
  for (char c : text)
    result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string one_seed_prefix(std::uint64_t seed) { return "SEED=" + std::to_string(seed) + " ITERATIONS=1 "; }

} // namespace troupe
