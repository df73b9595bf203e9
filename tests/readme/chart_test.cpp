// The picture in README.md is what the program draws: the same chart, not only one like it.
#include "tests/examples/temp_folder.hpp"
#include "tests/readme/checkout_path.hpp"
#include <array>
#include <cstdio>
#include <doctest/doctest.h>
#include <fstream>
#include <iterator>

namespace {

/// The part of a text from the line that says which seed fails to the verdict; the rest has times and paths in it.
std::string chart_in(const std::string& text) {
  const auto begin = text.find("\nseed ");
  const auto verdict = text.find("\n✗ failed", begin);
  if (begin == std::string::npos || verdict == std::string::npos)
    return {};
  return text.substr(begin, text.find('\n', verdict + 1) - begin);
}

std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe);
  std::array<char, 4096> bytes;
  while (const auto count = fread(bytes.data(), 1, bytes.size(), pipe))
    output.append(bytes.data(), count);
  pclose(pipe);
  return output;
}

} // namespace

TEST_CASE("the chart in README.md is the one that the checkout example draws") {
  const checkout::temp_folder folder;
  const auto drawn = chart_in(output_of("cd '" + folder.file("") + "' && " CHECKOUT_PATH " explore checkout-buggy"));
  std::ifstream file(TROUPE_ROOT "/README.md");
  const std::string readme{std::istreambuf_iterator<char>{file}, {}};
  REQUIRE(!drawn.empty());
  CHECK_MESSAGE(chart_in(readme) == drawn, "scripts/update-readme-chart makes README.md have:\n", drawn);
}
