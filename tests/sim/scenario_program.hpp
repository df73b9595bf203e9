// A scenario program, run as its users run it: as a child process.
#pragma once
#include "sim/scenario.hpp"
#include "tests/sim/child_process.hpp"
#include <doctest/doctest.h>
#include <filesystem>
#include <string>

namespace troupe::testing {

// Absolute, for Windows: with its drive.
inline const std::string program = std::filesystem::absolute(TROUPE_SCENARIO_PROGRAM).string();

inline child_result run(const child_folder& here, const std::string& arguments) {
  return here.run(program + " " + arguments);
}

// Where cmd is the shell nothing does that.
#ifdef _WIN32
inline const std::string at_most_20_s;
#else
inline const std::string at_most_20_s = "timeout 20 ";
#endif

/// The failing tape of scenario "oversell", as exploration wrote it.
inline std::string failing_tape(const child_folder& here) {
  REQUIRE(run(here, "explore oversell --seeds 2000 --strategy random --tape-out found.tape").status == 1);
  return here / "found.tape";
}

/// Runs what must be refused: status 2, one line on stderr that says why, nothing on stdout.
inline void check_refused(const child_folder& here, const std::string& arguments, const std::string& why) {
  const auto result = run(here, arguments);
  INFO("arguments: ", arguments);
  INFO("stderr: ", result.err);
  CHECK(result.status == 2);
  CHECK(result.out.empty());
  CHECK(line_count(result.err) == 1);
  CHECK(result.err.substr(0, 11) == "scenarios: ");
  CHECK(result.err.find(why) != std::string::npos);
}

} // namespace troupe::testing
