// What becomes of scenarios that throw, hang, take all memory, or use what the simulator does not control, as a user of
// the command line sees it.
#include "sim/watched_process.hpp"
#include "tests/sim/child_process.hpp"
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <set>

using namespace troupe;
using namespace troupe::testing;
using nlohmann::json;

namespace {

const std::string program = std::filesystem::absolute(TROUPE_HOSTILE_PROGRAM).string();

/// Nothing here may take long, whatever the program does.
child_result run(const child_folder& here, const std::string& arguments) {
  return here.run("timeout 60 " + program + " " + arguments);
}

json found(const child_folder& here, const std::string& arguments) {
  const auto result = run(here, "explore " + arguments + " --json");
  INFO(arguments, "\n", result.out, result.err);
  REQUIRE(result.status == 1);
  return json::parse(result.out);
}

bool holds(const json& text, const std::string& part) {
  return text.get<std::string>().find(part) != std::string::npos;
}

json without_times(json object) {
  for (const char* timing : {"seconds", "schedules_per_second"})
    object.erase(timing);
  return object;
}

} // namespace

TEST_CASE("a scenario that throws in its set-up fails with what it threw") {
  child_folder here;
  const auto object = found(here, "throws --seeds 5");
  CHECK(object["verdict"] == "exception");
  CHECK(object["message"] == "the test threw: no such table");
}

TEST_CASE("a handler that never ends is a failure with its seed and the event, and so is its replay") {
  child_folder here;
  const auto object = found(here, "spins --seeds 100 --step-timeout 1");
  CHECK(object["verdict"] == "hung");
  INFO(object["message"]);
  CHECK(holds(object["message"], "did not end within 1 s: handle "));
  CHECK(holds(object["message"], "read"));
  const auto command = object["replay"].get<std::string>();
  CHECK(command.find("--tape") != std::string::npos);
  CHECK(command.find("--step-timeout 1") != std::string::npos);
  const auto replayed = here.run("timeout 60 " + command);
  INFO(replayed.out, replayed.err);
  CHECK(replayed.status == 1);
  CHECK(replayed.out.find("\u2717 hung: did not end within 1 s: handle ") != std::string::npos);
}

TEST_CASE("a test that never ends by itself, in one way or the other, is a failure") {
  child_folder here;
  for (const std::string name : {"spins-always", "polls"}) {
    const auto object = found(here, name + " --seeds 3 --step-timeout 1 --strategy random");
    CHECK(object["verdict"] == "hung");
    CHECK(object["seed"] == 0);
    CHECK(holds(object["message"], "did not end within 1 s: the test itself"));
  }
  // A strategy that runs the program beforehand is no way around.
  CHECK(found(here, "spins-always --seeds 3 --step-timeout 1 --strategy pct")["verdict"] == "hung");
  CHECK(found(here, "spins-always --step-timeout 1 --strategy dfs")["proven"] == false);
}

TEST_CASE("a handler that waits for real, for ever, is hung") {
  child_folder here;
  CHECK(found(here, "blocks --seeds 3 --step-timeout 1")["verdict"] == "hung");
}

TEST_CASE("a run that takes too much memory is a failure with its seed, and so is its replay" *
          doctest::skip(!can_limit_memory())) {
  child_folder here;
  const auto object = found(here, "eats --seeds 100 --memory-max 64");
  CHECK(object["verdict"] == "out_of_memory");
  INFO(object["message"]);
  CHECK(holds(object["message"], "took more than 64 MB of memory, in handle "));
  const auto replayed = here.run("timeout 60 " + object["replay"].get<std::string>());
  CHECK(replayed.status == 1);
  CHECK(replayed.out.find("\u2717 out_of_memory: ") != std::string::npos);

  // What ends at its number of events may still take more than there is.
  const auto mails = found(here, "mails --seeds 2 --memory-max 32 --max-steps 100000000");
  CHECK(mails["verdict"] == "out_of_memory");
}

TEST_CASE("a run that was lost comes again, from its tape and from its seed, whatever decided") {
  child_folder here;
  const auto check = [&](const std::string& arguments) {
    const auto result = run(here, "explore " + arguments);
    INFO(arguments, "\n", result.out, result.err);
    REQUIRE(result.status == 1);
    const auto at = result.out.find("\u2717 crashed: the program under test ended its process: exit status 4, in ");
    REQUIRE(at != std::string::npos);
    const auto what = result.out.substr(at, result.out.find('\n', at) - at);
    for (const char* command : {"replay:", "unshrunk:"}) {
      REQUIRE_FALSE(result.after(command).empty());
      const auto again = here.run("timeout 60 " + result.after(command));
      INFO(command, result.after(command), "\n", again.out, again.err);
      CHECK(again.status == 1);
      CHECK(again.err.empty());
      CHECK(again.out.find(what) != std::string::npos);
    }
  };
  for (const char* strategy : {"portfolio", "random", "speeds", "pct", "pctcp", "pos", "surw", "ql", "dfs", "dpor"})
    check("quits --seeds 2000 --strategy " + std::string(strategy));
  check("quits --seeds 2000 --model network --jobs 2");
  for (const char* strategy : {"portfolio", "pct", "dfs"})
    check("quits-unlucky --seeds 2000 --faults point=1 --strategy " + std::string(strategy));
}

TEST_CASE("replaying a seed whose run is lost leaves a tape of it") {
  child_folder here;
  const auto seed = found(here, "quits --seeds 2000")["seed"].get<std::uint64_t>();
  CHECK(run(here, "replay quits --tape-out lost.tape --seed " + std::to_string(seed)).status == 1);
  const auto again = json::parse(run(here, "replay quits --tape lost.tape --json").out);
  CHECK(again["verdict"] == "crashed");
  CHECK(holds(again["message"], "exit status 4, in handle "));
  const auto shrunk = run(here, "shrink quits --tape lost.tape --out short.tape");
  CHECK(shrunk.status == 2);
  CHECK(shrunk.err.find("cannot be shrunk, for the program crashed: ") != std::string::npos);
}

TEST_CASE("a program that leaks a little with each run is not held up by it" * doctest::skip(!can_limit_memory()) *
          doctest::test_suite("slow")) {
  child_folder here;
  const auto result = run(here, "explore leaks --seeds 400 --memory-max 128 --jobs 2");
  INFO(result.out, result.err);
  CHECK(result.status == 0);
  CHECK(result.out.find("400 schedules") != std::string::npos);
}

TEST_CASE("a scenario that depends on the real clock is nondeterministic") {
  child_folder here;
  const auto object = found(here, "reads-clock --seeds 50 --check-determinism");
  CHECK(object["verdict"] == "nondeterminism");
  CHECK(run(here, "explore sleeps --seeds 3 --check-determinism").status == 0);
}

TEST_CASE("work from another thread is a failure") {
  child_folder here;
  const auto object = found(here, "threads --seeds 3");
  CHECK(object["verdict"] == "foreign_thread");
  CHECK(holds(object["message"], "work came from a thread that the simulator does not control"));
}

TEST_CASE("what another thread says comes in by an entry of its own: recorded once, it replays without the thread") {
  child_folder here;
  const auto recorded = run(here, "replay radio --seed 3 --tape-out radio.tape --json");
  INFO(recorded.out, recorded.err);
  REQUIRE(recorded.status == 1);
  const auto first = json::parse(recorded.out);
  CHECK(holds(first["message"], "heard at "));
  for (int i = 0; i < 3; ++i) {
    const auto again = json::parse(run(here, "replay radio --tape radio.tape --json").out);
    CHECK(again["message"] == first["message"]);
    CHECK(again["trace_hash"] == first["trace_hash"]);
    CHECK(again["note"] == "");
  }
  // Live, it never says the same again.
  CHECK(found(here, "radio --seeds 3")["verdict"] == "nondeterminism");
}

TEST_CASE("failures are grouped by their causes, the same whatever the number of processes") {
  child_folder here;
  const auto object = without_times(found(here, "many-ways --seeds 500 --failures 60"));
  CHECK(object["failures"] == 60);
  CHECK(object["schedules"] > 60);
  const auto& causes = object["causes"];
  REQUIRE(causes.size() == 4);
  int sum = 0;
  std::uint64_t last = 0;
  std::set<std::string> shapes;
  for (const auto& each : causes) {
    sum += each["failures"].get<int>();
    CHECK(each["seed"] >= last);
    last = each["seed"].get<std::uint64_t>();
    const auto verdict = each["verdict"].get<std::string>(), message = each["message"].get<std::string>();
    shapes.insert(verdict + ": " + message.substr(0, message.find(" were ")));
    const auto replayed = here.run("timeout 60 " + each["replay"].get<std::string>());
    INFO(each["replay"], replayed.out, replayed.err);
    CHECK(replayed.status == 1);
    CHECK(replayed.out.find("\u2717 " + verdict + ": ") != std::string::npos);
  }
  CHECK(sum == 60);
  INFO(object.dump(2));
  CHECK(shapes.count("failed: there"));
  CHECK(shapes.count("exception: the test threw: out of paper"));
  CHECK(shapes.count("crashed: the program under test ended its process: exit status 3, in the test itself"));
  CHECK(object["seed"] == causes[0]["seed"]);
  for (const char* jobs : {"2", "3"})
    CHECK(without_times(found(here, std::string("many-ways --seeds 500 --failures 60 --jobs ") + jobs)) == object);

  const auto text = run(here, "explore many-ways --seeds 500 --failures 60").out;
  CHECK(text.find("4 causes\n") != std::string::npos);
  CHECK(text.find("\n4. ") != std::string::npos);
  // Fewer than asked for are all that there are.
  const auto few = found(here, "many-ways --seeds 20 --failures 1000 --strategy random");
  CHECK(few["schedules"] == 20);
  CHECK(few["failures"] < 20);
}

TEST_CASE("a failure whose shrinking ends the process is told of unshrunk") {
  child_folder here;
  const auto object = found(here, "shrinks-badly --seeds 100 --failures 50 --strategy random");
  REQUIRE(object["causes"].size() == 2);
  for (const auto& each : object["causes"])
    if (each["verdict"] == "failed") {
      CHECK(each["shrunk"].is_null());
      CHECK(holds(each["note"], "not shrunk, for the program crashed"));
      CHECK(here.run(each["replay"].get<std::string>()).status == 1);
    }
}
