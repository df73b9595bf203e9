// The fuzz program's command line: failures abort, and what crashed can be replayed.
#include "fuzz/fuzz_main.hpp"
#include "tests/fuzz/racing_scenario.hpp"
#include <array>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace troupe;

namespace {

/// A folder of its own, removed in the end.
class folder {
public:
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "troupe-fuzz-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()));
    path_ = name;
  }
  ~folder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::vector<std::uint8_t>& data) const {
    std::ofstream(file(name), std::ios::binary)
        .write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size()));
    return file(name);
  }
  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

scenario_set racing() {
  scenario_set scenarios;
  scenarios.add(testing::race());
  return scenarios;
}

struct ended {
  int status = -1; ///< What it exited with; -1 if it was ended by a signal.
  int signal = 0;
  std::string output;
};

/// Runs the command line in a process of its own.
ended run(std::vector<std::string> arguments) {
  std::array<int, 2> pipe_ends{};
  REQUIRE(pipe(pipe_ends.data()) == 0);
  std::cout.flush();
  const auto child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL); // The test framework's handler would report a failed test.
    dup2(open("/dev/null", O_RDONLY), 0);
    dup2(pipe_ends[1], 1);
    dup2(pipe_ends[1], 2);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    std::vector<const char*> argv{"fuzzer"};
    for (const auto& each : arguments)
      argv.push_back(each.c_str());
    _exit(fuzz_main(racing(), static_cast<int>(argv.size()), argv.data()));
  }
  close(pipe_ends[1]);
  ended result;
  std::array<char, 4096> buffer{};
  for (ssize_t size; (size = read(pipe_ends[0], buffer.data(), buffer.size())) > 0;)
    result.output.append(buffer.data(), static_cast<std::size_t>(size));
  close(pipe_ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (WIFEXITED(status))
    result.status = WEXITSTATUS(status);
  else
    result.signal = WTERMSIG(status);
  return result;
}

/// An input under which the race loses an increment.
std::vector<std::uint8_t> failing_input() {
  for (std::uint8_t first = 0; first < 255; ++first)
    for (std::uint8_t second = 0; second < 16; ++second) {
      std::vector<std::uint8_t> data(16);
      data[8] = 1;
      for (int i = 0; i < 12; ++i)
        data.push_back(static_cast<std::uint8_t>(i % 2 ? second : first));
      if (run_fuzz_input(testing::race(), data).end == verdict::failed)
        return data;
    }
  FAIL("no input fails");
  return {};
}

} // namespace

TEST_CASE("a failure aborts the process and says its verdict") {
  folder temporary;
  const auto crash = temporary.write("crash", failing_input());
  const auto result = run({"fuzz", "race", crash});
  CHECK(result.signal == SIGABRT);
  CHECK(result.output.find("an increment was lost") != std::string::npos);
}

TEST_CASE("inputs that do not fail leave the process alone") {
  folder temporary;
  const auto good = temporary.write("good", std::vector<std::uint8_t>(16));
  const auto empty = temporary.write("empty", {});
  CHECK(run({"fuzz", "race", good, empty}).status == 0);
  CHECK(run({"fuzz", "race"}).status == 0); // from the standard input, which is empty
}

TEST_CASE("a crash replays through the scenario commands with the same verdict, and can be shrunk") {
  folder temporary;
  const auto crash = temporary.write("crash", failing_input());
  const auto tape = temporary.file("crash.tape");
  const auto replayed = run({"replay", "race", "--bytes", crash, "--tape-out", tape});
  CHECK(replayed.status == 1);
  CHECK(replayed.output.find("an increment was lost") != std::string::npos);
  const auto from_tape = run({"replay", "race", "--tape", tape});
  CHECK(from_tape.status == 1);
  CHECK(from_tape.output == replayed.output);
  const auto shrunk = run({"shrink", "race", "--tape", tape, "--out", temporary.file("short.tape")});
  CHECK(shrunk.status == 1);
  CHECK(run({"replay", "race", "--tape", temporary.file("short.tape")}).status == 1);
}

TEST_CASE("the inputs to start from do not fail") {
  folder temporary;
  REQUIRE(run({"fuzz", "race", "--seed-inputs", temporary.path().string()}).status == 0);
  int count = 0;
  for (const auto& each : std::filesystem::directory_iterator(temporary.path())) {
    ++count;
    CHECK(run({"fuzz", "race", each.path().string()}).status == 0);
  }
  CHECK(count >= 2);
}

TEST_CASE("what cannot be used is said in one line, with status 2") {
  folder temporary;
  const auto good = temporary.write("good", {});
  const auto folder_name = temporary.path().string();
  const std::vector<std::vector<std::string>> wrong{
      {"fuzz"},
      {"fuzz", "nothing"},
      {"fuzz", "race", temporary.file("missing")},
      {"fuzz", "race", folder_name},
      {"fuzz", "race", "--seed-inputs"},
      {"fuzz", "race", "--seed-inputs", temporary.file("missing")},
      {"replay", "race", "--bytes", temporary.file("missing")},
      {"replay", "race", "--bytes", folder_name},
      {"replay", "race", "--bytes", ""},
      {"replay", "race", "--bytes", good, "--seed", "1"},
      {"replay", "race", "--bytes", good, "--tape", good},
      {"replay", "race", "--bytes", good, "--strategy", "fifo"},
      {"replay", "race", "--bytes", good, "--tape-out", temporary.file("no/folder")},
      {"replay", "nothing", "--bytes", good},
  };
  for (const auto& arguments : wrong) {
    std::string typed;
    for (const auto& each : arguments)
      typed += each + " ";
    CAPTURE(typed);
    const auto result = run(arguments);
    const auto lines = std::count(result.output.begin(), result.output.end(), '\n');
    CHECK(result.status == 2);
    CHECK((lines == 1 || (arguments[0] == "fuzz" && lines <= 2)));
  }
}
