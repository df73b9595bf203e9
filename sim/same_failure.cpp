// Whether two runs fail for the same reason.
#include "sim/same_failure.hpp"
#include "sim/random_source.hpp"

namespace troupe {
namespace {

/// The first line, each number in it replaced by '#'.
std::string shape(const std::string& message) {
  std::string result;
  for (char c : message) {
    if (c == '\n')
      break;
    bool is_digit = c >= '0' && c <= '9';
    if (!is_digit)
      result += c;
    else if (result.empty() || result.back() != '#')
      result += '#';
  }
  return result;
}

} // namespace

bool same_failure(const run_result& a, const run_result& b) {
  return a.end == b.end && shape(a.message) == shape(b.message);
}

std::uint64_t cause_of(const run_result& failure) {
  auto hash = mix(static_cast<std::uint64_t>(failure.end) + 1);
  for (char c : shape(failure.message))
    hash = mix(hash, static_cast<unsigned char>(c));
  return hash;
}

} // namespace troupe
