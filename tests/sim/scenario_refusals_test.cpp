// What scenario programs refuse: arguments, tapes, outputs and reports that cannot be, each in one line that says why.
#include "sim/tape.hpp"
#include "tests/sim/scenario_program.hpp"
#include <doctest/doctest.h>
#include <fstream>

using namespace troupe;
using namespace troupe::testing;

TEST_CASE("unusable arguments are refused in one line") {
  child_folder here;
  check_refused(here, "", "list, explore, replay or shrink");
  check_refused(here, "exlpore oversell", "did you mean \"explore\"?");
  check_refused(here, "--frobnicate", "list, explore, replay or shrink");
  check_refused(here, "--json explore oversell", "list, explore, replay or shrink");
  check_refused(here, "explore", "which scenario? NAME is missing");
  check_refused(here, "list all", "unexpected \"all\": list takes nothing");
  check_refused(here, "explore oversel", "unknown scenario \"oversel\"; did you mean \"oversell\"?");
  check_refused(here, "explore nothing-like-it", "known: oversell, patient");
  check_refused(here, "explore \"\"", "unknown scenario \"\"");
#ifndef _WIN32 // cmd has no word of two lines.
  check_refused(here, "explore 'two\nlines'", "unknown scenario");
#endif
  check_refused(here, "replay oversel --seed 1", "did you mean");
  check_refused(here, "explore oversell patient", "unexpected \"patient\": explore takes one scenario");
  check_refused(here, "explore oversell --frobnicate 3", "unknown option \"--frobnicate\"; known: ");
  check_refused(here, "explore oversell --sedes=3", "unknown option \"--sedes\"; did you mean \"--seeds\"?");
  check_refused(here, "explore oversell --seed 3", "did you mean \"--seeds\"?");
  check_refused(here, "explore oversell --seeds 3 --seeds 4", "--seeds is given more than once");
  check_refused(here, "replay oversell --seed 1 --jobs 2", "unknown option \"--jobs\"");
  check_refused(here, "replay oversell --bytes .", "cannot be read");
  check_refused(here, "explore oversell --failures 0", "from 1 to ");
  check_refused(here, "explore oversell --step-timeout 1.5", "from 0 to ");
  check_refused(here, "explore oversell --memory-max lots", "from 0 to ");
  check_refused(here, "explore oversell --strategy randon", "did you mean \"random\"?");
  check_refused(here, "explore oversell --model globl", "unknown order model \"globl\"");
  for (const char* bad : {"0", "-1", "18446744073709551616", "1.5", "ten", "1e3", "\"\"", "0x10", "+1", "\" 1\""}) {
    check_refused(here, "explore oversell --seeds " + std::string(bad), "--seeds");
    check_refused(here, "explore oversell --max-steps " + std::string(bad), "--max-steps");
    check_refused(here, "explore oversell --jobs " + std::string(bad), "--jobs");
  }
  for (const char* bad : {"-1", "18446744073709551616", "1.5", "one", "\"\""}) {
    check_refused(here, "explore oversell --first-seed " + std::string(bad), "--first-seed");
    check_refused(here, "replay oversell --seed " + std::string(bad), "--seed");
  }
  check_refused(here, "explore oversell --seeds", "--seeds");
  check_refused(here, "explore oversell --jobs 1000", "from 1 to 256");
  check_refused(here, "explore oversell --first-seed 18446744073709551615 --seeds 2", "beyond");
  check_refused(here, "replay oversell", "--seed");
  check_refused(here, "replay oversell --seed 1 --tape a.tape", "--tape");
  check_refused(here, "replay oversell --tape a.tape --strategy fifo", "--strategy");
  check_refused(here, "replay oversell --tape \"\"", "--tape");
  check_refused(here, "shrink oversell --tape a.tape", "--out");
  check_refused(here, "shrink oversell --out a.tape", "--tape");
}

TEST_CASE("unusable tapes are refused in one line") {
  child_folder here;
  const auto good = failing_tape(here);
  const auto text = read_file(good);
  const auto write = [&](const std::string& name, const std::string& content) {
    std::ofstream(here / name, std::ios::binary) << content;
  };
  tape_error error;
  auto foreign = load_tape(good, error);
  REQUIRE(foreign.has_value());

  write("truncated.tape", text.substr(0, text.size() * 2 / 3));
  auto damaged = text;
  damaged[text.size() - 5] = damaged[text.size() - 5] == '0' ? '1' : '0';
  write("corrupted.tape", damaged);
  write("empty.tape", "");
  write("binary.tape", std::string(5'000, '\0'));
  auto newer = text;
  newer.replace(0, newer.find('\n'), "troupe tape 99");
  write("newer.tape", newer);
  foreign->program = "raft";
  REQUIRE(save_tape(*foreign, here / "program.tape", error));

  for (const std::string command : {"replay oversell --tape ", "shrink oversell --out out.tape --tape "}) {
    check_refused(here, command + "missing.tape", "No such file");
    check_refused(here, command + ".", "cannot be read");
    check_refused(here, command + "truncated.tape", "a truncated tape");
    check_refused(here, command + "corrupted.tape", "a corrupted tape");
    check_refused(here, command + "empty.tape", "not a tape");
    check_refused(here, command + "binary.tape", "not a tape");
    check_refused(here, command + "newer.tape", "another format version: 99");
    check_refused(here, command + "program.tape", "recorded with another program: program \"raft\"");
  }
  check_refused(here, "replay patient --tape found.tape", "recorded with another scenario: scenario \"oversell\"");
  CHECK_FALSE(std::filesystem::exists(here / "out.tape"));
}

TEST_CASE("outputs that cannot be written are refused, before the search where that can be known") {
  child_folder here;
  failing_tape(here);
  check_refused(here, "explore oversell --seeds 2000 --tape-out no/such/folder.tape", "cannot be written");
  check_refused(here, "explore oversell --seeds 2000 --tape-out .", "cannot be written");
  check_refused(here, "shrink oversell --tape found.tape --out no/such/folder.tape", "cannot be written");
  check_refused(here, "shrink oversell --tape found.tape --out .", "cannot be written");
  if (std::error_code ignored; std::filesystem::exists("/dev/full", ignored)) {
    check_refused(here, "shrink oversell --tape found.tape --out /dev/full", "No space left");
    for (const char* arguments : {"list", "explore patient --seeds 3", "replay patient --seed 1 --json"}) {
      const auto result = here.run(program + " " + arguments + " >/dev/full");
      INFO(arguments);
      CHECK(result.status == 2);
      CHECK(result.err == "scenarios: the results cannot be written to the standard output\n");
    }
    check_refused(here, "replay patient --bytes /dev/zero", "which no fuzzer writes");
    check_refused(here, "replay patient --tape /dev/zero", "is a device");
  }
}

TEST_CASE("reports that cannot be are refused in one line") {
  child_folder here;
  check_refused(here, "explore oversell --report found.pdf", "let it end in .html, .jsonl, .json (Perfetto) or .txt");
  check_refused(here, "explore oversell --report found", "--format html, jsonl, perfetto or text");
  check_refused(here, "explore oversell --report a.html --format pdf", "unknown format \"pdf\"");
  check_refused(here, "explore oversell --format html", "--report");
  check_refused(here, "explore oversell --report \"\"", "--report");
  check_refused(here, "explore oversell --report no/such/folder.html",
                "report \"no/such/folder.html\": cannot be written");
  check_refused(here, "replay oversell --seed 1 --report no/such/folder.html", "cannot be written");
  check_refused(here, "list --report a.html", "report");
}

TEST_CASE("scenarios need names of their own") {
  scenario_set all;
  all.add({"one", "", [](simulator&) {}});
  CHECK_THROWS_AS(all.add({"one", "", [](simulator&) {}}), std::invalid_argument);
  CHECK_THROWS_AS(all.add({"", "", [](simulator&) {}}), std::invalid_argument);
  CHECK(all.find("one") != nullptr);
  CHECK(all.find("two") == nullptr);
  CHECK(all.all().size() == 1);
}
