// The command line of scenario programs, as its users meet it: a program run as a child process.
#include "sim/explore_workers.hpp"
#include "sim/tape.hpp"
#include "tests/sim/scenario_program.hpp"
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace troupe;
using namespace troupe::testing;
using nlohmann::json;

TEST_CASE("list names the scenarios with their descriptions") {
  child_folder here;
  const auto result = run(here, "list");
  CHECK(result.status == 0);
  CHECK(result.after("oversell") == "   two clients buy the last one");
  CHECK(line_count(result.out) == 9);
  CHECK(result.err.empty());
}

TEST_CASE("exploring finds the planted bug and says all it takes to have it again") {
  child_folder here;
  const auto found = run(here, "explore oversell --seeds 2000");
  INFO(found.out);
  CHECK(found.status == 1);
  CHECK(found.err.empty());
  CHECK(found.out.find("\u2717 failed: oversold\n") != std::string::npos);
  CHECK(found.out.find(" read ") != std::string::npos);

  auto command = found.after("replay:");
  REQUIRE_FALSE(command.empty());
  const auto replayed = here.run(command);
  INFO(command, "\n", replayed.out, replayed.err);
  CHECK(replayed.status == 1);
  CHECK(replayed.err.empty());
  // The chart that was printed is the one of the tape.
  CHECK(found.out.find(replayed.out) != std::string::npos);

  auto unshrunk = found.after("unshrunk:");
  const auto by_seed = here.run(unshrunk);
  INFO(unshrunk, "\n", by_seed.out, by_seed.err);
  CHECK(by_seed.status == 1);
  CHECK(by_seed.out.find("\u2717 failed: oversold\n") != std::string::npos);
}

TEST_CASE("exploring a correct program finds nothing") {
  child_folder here;
  const auto result = run(here, "explore patient --seeds 100 --jobs " + std::to_string(std::min(2u, most_jobs())));
  CHECK(result.status == 0);
  CHECK(result.out.find("100 schedules") != std::string::npos);
  CHECK(result.out.find("0 failures") != std::string::npos);
  CHECK(line_count(result.out) == 1);
}

TEST_CASE("with --json exploration prints one object that has everything") {
  child_folder here;
  const auto result = run(here, "explore oversell --seeds 2000 --json");
  CHECK(result.status == 1);
  const auto object = json::parse(result.out);
  for (const char* name : {"scenario", "strategy", "schedules", "failures", "first_failure", "seed", "steps",
                           "distinct_traces", "schedules_per_second", "tape"})
    CHECK(object.contains(name));
  CHECK(object["scenario"] == "oversell");
  CHECK(object["strategy"] == "portfolio");
  CHECK(object["failures"] == 1);
  CHECK(object["verdict"] == "failed");
  CHECK(object["message"] == "oversold");
  CHECK(object["schedules"] == object["first_failure"]);
  CHECK(object["seed"].get<std::uint64_t>() + 1 == object["first_failure"].get<std::uint64_t>());
  CHECK(object["shrunk"]["deviations_after"] <= object["shrunk"]["deviations_before"]);
  CHECK(std::filesystem::exists(here / object["tape"].get<std::string>()));

  const auto passing = json::parse(run(here, "explore patient --seeds 10 --first-seed 5 --json").out);
  CHECK(passing["failures"] == 0);
  CHECK(passing["schedules"] == 10);
  CHECK(passing["first_seed"] == 5);
  for (const char* name : {"seed", "first_failure", "tape", "replay", "shrunk"})
    CHECK(passing[name].is_null());
}

TEST_CASE("the number of processes does not change what is found, where there can be some") {
  child_folder here;
  if (most_jobs() == 1) {
    check_refused(here, "explore oversell --jobs 2", "no other processes here");
    return;
  }
  auto alone = json::parse(run(here, "explore oversell --seeds 2000 --json").out);
  auto spread = json::parse(run(here, "explore oversell --seeds 2000 --json --jobs 3").out);
  for (const char* timing : {"seconds", "schedules_per_second"}) {
    alone.erase(timing);
    spread.erase(timing);
  }
  CHECK(alone == spread);
}

TEST_CASE("--model says what can interleave") {
  child_folder here;
  const auto outcomes = [&](const std::string& model) {
    const auto found = json::parse(run(here, "explore a-b-a --strategy dpor --json --model " + model).out);
    CHECK(found["proven"] == true);
    return found["distinct_traces"].get<int>();
  };
  CHECK(outcomes("atomic") == 2);
  CHECK(outcomes("local") == 10);
  CHECK(outcomes("network") == 12);
  CHECK(outcomes("unordered") == 48);
}

TEST_CASE("--faults says what may go wrong, and how often") {
  child_folder here;
  CHECK(run(here, "explore unlucky").status == 0);
  const auto found = run(here, "explore unlucky --faults point=1 --tape-out found.tape");
  CHECK(found.status == 1);
  CHECK(found.out.find("fault: store.write") != std::string::npos);
  CHECK(found.out.find("a write is lost") != std::string::npos);
  CHECK(found.out.find("--faults point=1") != std::string::npos); // in the command that leads there again
  CHECK(run(here, "replay unlucky --tape found.tape").status == 1);
  check_refused(here, "explore unlucky --faults pont=1", "did you mean \"point\"");
  check_refused(here, "explore unlucky --faults point", "point");
  check_refused(here, "explore unlucky --faults point=1,point=2", "point is given more than once");
}

TEST_CASE("the fifo strategy has one schedule") {
  child_folder here;
  const auto object = json::parse(run(here, "explore oversell --seeds 20 --strategy fifo --json").out);
  CHECK(object["failures"] == 0);
  CHECK(object["distinct_traces"] == 1);
}

TEST_CASE("an exhaustive search says what it has proven or covered, and has no seeds") {
  child_folder here;
  const std::string jobs = most_jobs() > 1 ? " --jobs 2" : ""; // It is one process all the same.
  CHECK(run(here, "explore patient --strategy dpor --seeds 100000").out.find("proven: no schedule fails") !=
        std::string::npos);
  const auto part = json::parse(run(here, "explore patient --strategy dfs --seeds 3" + jobs + " --json").out);
  CHECK(part["proven"] == false);
  CHECK(part["covered"].get<double>() > 0);
  CHECK(part["covered"].get<double>() < 1);
  for (std::string search : {"dpor", "dfs"})
    CHECK(run(here, "explore urgent --strategy " + search).out.find("\nproven: ") != std::string::npos);
  check_refused(here, "explore patient --strategy dfs --first-seed 1", "has no seeds");
  check_refused(here, "replay patient --strategy dpor --seed 1000000", "has fewer schedules");
  check_refused(here, "explore patient --strategy pct:depth=0", "expected pct:depth=NUMBER");
}

TEST_CASE("replaying a seed or a tape says how it ends") {
  child_folder here;
  const auto passing = run(here, "replay patient --seed 7");
  CHECK(passing.status == 0);
  CHECK(passing.out.substr(0, 4) == "ok: ");

  const auto traced = run(here, "replay patient --seed 7 --strategy random --trace");
  CHECK(traced.out.find(" handle ") != std::string::npos);
  CHECK(traced.out.find(" arrival ") != std::string::npos);

  const auto tape = failing_tape(here);
  const auto failing = json::parse(run(here, "replay oversell --json --trace --tape " + tape).out);
  CHECK(failing["verdict"] == "failed");
  CHECK(failing["note"] == "");
  CHECK(failing["trace"].size() >= failing["steps"].get<std::size_t>());
  CHECK(failing["deviations"].get<int>() > 0);
}

TEST_CASE("the same seed is the same run in every process") {
  child_folder here;
  for (int seed = 0; seed < 5; ++seed) {
    const auto arguments = "replay oversell --json --trace --seed " + std::to_string(seed);
    CHECK(run(here, arguments).out == run(here, arguments).out);
  }
}

TEST_CASE("a failing tape shrinks to one that fails too") {
  child_folder here;
  const auto seed = json::parse(run(here, "explore oversell --seeds 2000 --json").out)["seed"].get<std::uint64_t>();
  REQUIRE(run(here, "replay oversell --tape-out long.tape --seed " + std::to_string(seed)).status == 1);
  const auto shrunk = run(here, "shrink oversell --tape long.tape --out short.tape");
  INFO(shrunk.out, shrunk.err);
  CHECK(shrunk.status == 1);
  CHECK(shrunk.out.find("\u2717 failed: oversold\n") != std::string::npos);
  tape_error error;
  const auto before = load_tape(here / "long.tape", error);
  const auto after = load_tape(here / "short.tape", error);
  REQUIRE((before && after));
  CHECK(deviations(after->decisions) < deviations(before->decisions));
  const auto replayed = here.run(shrunk.after("replay:"));
  CHECK(replayed.status == 1);
  CHECK(replayed.err.empty());
  const auto object = json::parse(run(here, "shrink oversell --tape long.tape --out short.tape --json").out);
  CHECK(object["deviations_after"] == deviations(after->decisions));
}

TEST_CASE("a tape that passes cannot be shrunk") {
  child_folder here;
  REQUIRE(run(here, "replay patient --seed 1 --tape-out fine.tape").status == 0);
  check_refused(here, "shrink patient --tape fine.tape --out short.tape", "leads to no failure");
  CHECK_FALSE(std::filesystem::exists(here / "short.tape"));
}

TEST_CASE("a deadlock is explained, not shrunk to death") {
  child_folder here;
  const auto result = run(here, "explore stuck --seeds 5");
  CHECK(result.status == 1);
  CHECK(result.out.find("\u2717 deadlock: ") != std::string::npos);
  CHECK(result.out.find("'first'") != std::string::npos);
  CHECK(result.out.find("'second'") != std::string::npos);
  CHECK(result.out.find("scenarios.cpp:") != std::string::npos);
}

TEST_CASE("a program that never ends meets its step limit") {
  child_folder here;
  const auto result = here.run(at_most_20_s + program + " explore endless --seeds 5 --max-steps 500");
  CHECK(result.status == 1);
  CHECK(result.out.find("\u2717 step_limit: ") != std::string::npos);
  CHECK(result.out.find("\u25cf read (") != std::string::npos); // one row, not hundreds
  // The limit is part of the schedule.
  const auto replayed = here.run(at_most_20_s + result.after("replay:"));
  CHECK(replayed.status == 1);
  CHECK(replayed.out.find("\u2717 step_limit: ") != std::string::npos);
  CHECK(result.after("unshrunk:").find("--max-steps 500") != std::string::npos);
}

TEST_CASE("a program that does not repeat itself is found out") {
  child_folder here;
  const auto result = run(here, "explore forgetful --seeds 5");
  CHECK(result.status == 1);
  CHECK(result.out.find("\u2717 nondeterminism: ") != std::string::npos);
  // In one process the first run of a seed may be another than any after it.
  CHECK((result.out.find("first difference before event ") != std::string::npos ||
         (most_jobs() == 1 && result.out.find("led to another run than at first") != std::string::npos)));

  const auto replayed = run(here, "replay forgetful --seed 3");
  CHECK(replayed.status == 1);
  CHECK(replayed.out.find("\u2717 nondeterminism: ") != std::string::npos);
  CHECK(replayed.out.find("no such event; next: ") != std::string::npos);
  // A tape is no better, and it is not said that the program has changed.
  const auto by_tape = here.run(result.after("replay:"));
  CHECK(by_tape.status == 1);
  CHECK(by_tape.out.find("\u2717 nondeterminism: ") != std::string::npos);
  CHECK(by_tape.err.find("changed") == std::string::npos);
}

TEST_CASE("a program that ends its process fails with its seed, where another process is there to tell") {
  child_folder here;
  if (most_jobs() == 1) {
    CHECK(run(here, "explore crash --seeds 100").status == 7);
    return;
  }
  const auto result = run(here, "explore crash --seeds 100");
  CHECK(result.status == 1);
  CHECK(result.out.find("exit status 7") != std::string::npos);
  const auto replayed = here.run(result.after("replay:"));
  CHECK(replayed.status == 1);
  CHECK(replayed.out.find("\u2717 crashed: the program under test ended its process: exit status 7") !=
        std::string::npos);
  const auto object = json::parse(run(here, "explore crash --seeds 100 --json").out);
  CHECK(std::filesystem::exists(here / object["tape"].get<std::string>()));
  CHECK(object["seed"].is_number());
}

TEST_CASE("help is not an error") {
  child_folder here;
  for (const char* arguments : {"--help", "explore --help", "replay -h", "shrink --help", "list --help"}) {
    const auto result = run(here, arguments);
    INFO(arguments);
    CHECK(result.status == 0);
    CHECK(result.err.empty());
    CHECK(result.out.find("Usage:") != std::string::npos);
  }
}

TEST_CASE("the very last seed can be explored") {
  child_folder here;
  CHECK(run(here, "explore patient --first-seed 18446744073709551615 --seeds 1").status == 0);
}

TEST_CASE("a tape of a program that has changed since is replayed as far as it can, with a note") {
  child_folder here;
  tape_error error;
  auto recorded = load_tape(failing_tape(here), error);
  REQUIRE(recorded.has_value());
  recorded->scenario = "stuck";
  REQUIRE(save_tape(*recorded, here / "old.tape", error));
  const auto result = run(here, "replay stuck --tape old.tape");
  CHECK(result.status == 1);
  CHECK(result.err.find("the program has changed since: ") != std::string::npos);
  CHECK(result.err.find("it does not end as it did") != std::string::npos);
  CHECK(line_count(result.err) == 1);

  // One that holds nothing but its decisions says less.
  recorded->order = {};
  REQUIRE(save_tape(*recorded, here / "old.tape", error));
  const auto less = run(here, "replay stuck --tape old.tape");
  CHECK(less.err.find("the tape was not followed exactly") != std::string::npos);
  CHECK(line_count(less.err) == 1);
}

TEST_CASE("a failing run ends with its racing pair, and a report goes where it was asked to") {
  child_folder here;
  const auto found =
      run(here, "explore oversell --seeds 2000 --strategy random --tape-out found.tape --report found.html");
  INFO(found.out, found.err);
  CHECK(found.status == 1);
  CHECK(found.out.find("\n\u21c5 racing pair: ") != std::string::npos);
  CHECK(found.after("report:").find("found.html") != std::string::npos);
  const auto page = read_file(here / "found.html");
  CHECK(page.find("<!doctype html>") == 0);
  CHECK(page.find("racing pair: ") != std::string::npos);
  CHECK(page.find("--tape found.tape") != std::string::npos);

  CHECK(run(here, "replay oversell --tape found.tape --report a.jsonl").status == 1);
  const auto lines = read_file(here / "a.jsonl");
  CHECK(json::parse(lines.substr(0, lines.find('\n')))["verdict"] == "failed");
  CHECK(run(here, "replay oversell --tape found.tape --report a.json").status == 1);
  CHECK(json::parse(read_file(here / "a.json"))["traceEvents"].size() > 10);
  CHECK(run(here, "replay oversell --tape found.tape --report page --format html").status == 1);
  CHECK(read_file(here / "page").find("<!doctype html>") == 0);
  CHECK(run(here, "shrink oversell --tape found.tape --out less.tape --report a.txt").status == 1);
  CHECK(read_file(here / "a.txt").find("\u21c5 racing pair: ") != std::string::npos);
  // A run that passes can be looked at, too.
  CHECK(run(here, "replay patient --seed 3 --report passing.html").status == 0);
  CHECK(read_file(here / "passing.html").find("\"verdict\":\"ok\"") != std::string::npos);
  // There is nothing to report of a search that finds nothing.
  CHECK(run(here, "explore patient --seeds 3 --report nothing.html").status == 0);
  CHECK_FALSE(std::filesystem::exists(here / "nothing.html"));

  const auto object = json::parse(run(here, "replay oversell --tape found.tape --json").out);
  CHECK(object["racing_pair"].size() == 2);
  CHECK(object["race"].get<std::string>().find("racing pair: ") == 0);
}
