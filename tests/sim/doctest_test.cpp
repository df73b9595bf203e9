// The doctest macro: passing tests here, failing ones in a program of their own, run as a child process.
#include "sim/doctest.hpp"
#include "sim/shrink.hpp"
#include "sim/tape_strategy.hpp"
#include "tests/sim/child_process.hpp"
#include "tests/sim/programs/oversell.hpp"
#include <set>

using namespace troupe;
using namespace troupe::testing;

namespace {

// Absolute, for Windows: with its drive.
const std::string program = std::filesystem::absolute(TROUPE_SEED_TEST_PROGRAM).string();

child_result run(const std::string& test, const std::string& environment = "") {
  child_folder here;
  return here.run(here.with(environment) + program + " -nv -nc \"-tc=" + test + "\"");
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t result = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1))
    ++result;
  return result;
}

/// A failing test stops at a seed, explains it, and its repeat command fails at that seed alone.
void check_failing(const std::string& test, const std::string& message) {
  const auto failed = run(test);
  INFO(failed.out, failed.err);
  CHECK(failed.status == 1);
  CHECK(failed.out.find(message) != std::string::npos);
  CHECK(count(failed.out, " fails:") == 1);
  const auto command = failed.after("repeat: ");
  REQUIRE(command.find("SEED=") != command.npos);
  const auto at = command.find("SEED=") + 5;
  const auto seed = command.substr(at, command.find_first_not_of("0123456789", at) - at);
  CHECK(failed.out.find("seed " + seed + " fails:") != std::string::npos);
  child_folder here;
  const auto repeated = here.run(command);
  INFO(command, "\n", repeated.out);
  CHECK(repeated.status == 1);
  CHECK(repeated.out.find("seed " + seed + " fails:") != std::string::npos);
  CHECK(repeated.out.find(message) != std::string::npos);
  CHECK(repeated.out.find(" 1 failed | 6 skipped") != std::string::npos);
}

} // namespace

TROUPE_SIM_TEST("a test of the macro runs in a simulator of its own", 20) {
  auto answer = sim.root().spawn([] { return 42; });
  sim.run_until_idle();
  int result = answer.take();
  CHECK(result == 42);
  CHECK(simulator::current() == &sim);
}

TEST_CASE("a passing test runs under all its seeds, or as the environment says") {
  CHECK(count(run("passing").out, "a run of passing\n") == 20);
  CHECK(count(run("passing", "SEED=7").out, "a run of passing\n") == 1);
  CHECK(count(run("passing", "ITERATIONS=3").out, "a run of passing\n") == 3);
  CHECK(count(run("passing", "SEED=18446744073709551614 ITERATIONS=2").out, "a run of passing\n") == 2);
  CHECK(run("passing").status == 0);
}

TEST_CASE("a malformed environment fails the test in one line") {
  for (const char* bad : {"SEED=x", "SEED=-1", "ITERATIONS=0", "ITERATIONS=many", "SEED=18446744073709551616",
                          "SEED=18446744073709551615 ITERATIONS=2"}) {
    const auto result = run("passing", bad);
    INFO(bad, result.out);
    CHECK(result.status == 1);
    CHECK(count(result.out, "a run of passing\n") == 0);
    CHECK((result.out.find("is not a number from") != std::string::npos ||
           result.out.find("go beyond") != std::string::npos));
  }
}

TEST_CASE("a failing check in the body fails the test with its seed") {
  check_failing("check in the body", "CHECK_FALSE( is_oversold )");
}

TEST_CASE("a failing requirement inside an actor fails the test with its seed") {
  check_failing("require in an actor", "REQUIRE( std::string(\"oversold\").empty() )");
}

TEST_CASE("a failing check inside a task fails the test with its seed, whatever the test is called") {
  check_failing("check? in a ?task?", "CHECK( ++*count > i )");
}

TEST_CASE("a verdict fails the test with its seed and the chart") {
  check_failing("verdict", "\u2717 failed: oversold\n");
  CHECK(run("verdict").out.find("\u25c0\u2500\u2500 read \u2500\u2500") != std::string::npos);
}

TEST_CASE("a failing test names its racing pair and marks where it failed") {
  for (const char* test : {"verdict", "require in an actor"}) {
    const auto result = run(test);
    INFO(result.out);
    CHECK(result.out.find("\u21c5 racing pair: ") != std::string::npos);
    CHECK(result.out.find("\n\u2717 ") != std::string::npos);
  }
}

TEST_CASE("a failing test writes a report where the environment says") {
  child_folder here;
  const auto result = here.run(here.with("TROUPE_REPORT=page.html") + program + " -nv -nc \"-tc=verdict\"");
  INFO(result.out);
  CHECK(result.out.find("report: page.html\n") != std::string::npos);
  CHECK(read_file(here / "page.html").find("<!doctype html>") == 0);
  const auto refused = here.run(here.with("TROUPE_REPORT=no/such/page.html") + program + " -nv -nc \"-tc=verdict\"");
  CHECK(refused.out.find("report: no/such/page.html cannot be written: ") != std::string::npos);
}

TEST_CASE("an assertion is printed once although the run is repeated for its chart") {
  const auto result = run("check in the body");
  CHECK(count(result.out, "is NOT correct!") == 1);
}

TEST_CASE("options of a test are its runs' options") {
  const auto result = run("step limit");
  CHECK(result.status == 1);
  CHECK(result.out.find("seed 41 fails:") != std::string::npos);
  CHECK(result.out.find("\u2717 step_limit: ") != std::string::npos);
}

TEST_CASE("warnings and messages do not fail a test") { CHECK(run("warnings do not fail").status == 0); }

TEST_CASE("the planted bug is found, replays exactly and shrinks") {
  const auto run = make_runner([](simulator& sim) { sell_twice(sim, [&sim] { sim.fail("oversold"); }); }, {});
  std::uint64_t failing = 0;
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    random_strategy order(seed);
    const auto first = run(seed, order, false);
    tape_strategy tape(first.decisions);
    const auto again = run(seed, tape, seed % 10 == 0);
    CHECK(again.trace_hash == first.trace_hash);
    CHECK(again.outcome_hash == first.outcome_hash);
    CHECK(tape.followed_exactly());
    if (first.is_failure()) {
      failing = seed;
      break;
    }
  }
  REQUIRE(failing != 0);
  random_strategy order(failing);
  simulation_options options;
  options.seed = failing;
  const auto shrunk = shrink(run, make_tape("test", "oversell", "random", options, run(failing, order, false)));
  CHECK(shrunk.reproduced);
  CHECK(shrunk.run.message == "oversold");
  CHECK(shrunk.deviations_after <= shrunk.deviations_before);
  CHECK(shrunk.deviations_after >= 1);
}

TEST_CASE("100 seeds give many traces, and each seed always the same one") {
  const auto run = make_runner([](simulator& sim) { sell_twice(sim, [] {}); }, {});
  std::set<std::uint64_t> traces;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    random_strategy order(seed), same(seed);
    const auto first = run(seed, order, false);
    CHECK(run(seed, same, true).trace_hash == first.trace_hash);
    traces.insert(first.trace_hash);
  }
  CHECK(traces.size() > 90);
}
