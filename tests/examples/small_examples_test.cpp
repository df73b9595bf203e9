// The small examples as their reader meets them: what they print, and how they end.
#include "tests/examples/example_paths.hpp"
#include "tests/examples/temp_folder.hpp"
#include <array>
#include <cstdio>
#include <doctest/doctest.h>
#include <string>
#ifndef _WIN32
#  include <sys/wait.h>
#endif

namespace {

struct ended {
  int status = -1;
  std::string output; ///< Both streams.
};

ended run(const std::string& command) {
  ended result;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe);
  std::array<char, 4096> bytes;
  while (const auto count = fread(bytes.data(), 1, bytes.size(), pipe))
    result.output.append(bytes.data(), count);
  const int status = pclose(pipe);
#ifdef _WIN32
  result.status = status;
  std::erase(result.output, '\r'); // Its lines end with two characters.
#else
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
#endif
  return result;
}

// Not used where plain_caf, an example for CAF 0.17, is not built.
#ifdef _WIN32
[[maybe_unused]] std::string in_folder(const std::string& path) { return "cd /d \"" + path + "\" && "; }
#else
[[maybe_unused]] std::string in_folder(const std::string& path) { return "cd '" + path + "' && "; }
#endif

bool has(const ended& result, const char* text) { return result.output.find(text) != std::string::npos; }

} // namespace

#ifdef EXAMPLE_POLLER

TEST_CASE("the poller is started again after each failure, and its session closes clean") {
  const auto result = run(EXAMPLE_POLLER);
  CHECK(result.status == 0);
  CHECK(result.output == "the poller starts\n"
                         "read 21\n"
                         "read 22\n"
                         "the poller starts\n"
                         "the poller starts\n"
                         "the poller starts\n"
                         "read 26\n"
                         "read 27\n"
                         "read 28\n"
                         "closed clean after 4 starts\n");
}

TEST_CASE("the nested sessions print their reports: the deadline's is clean, the stuck one's names its survivor") {
  const auto result = run(EXAMPLE_NESTED_SESSIONS);
  INFO(result.output);
  CHECK(result.status == 0);
  CHECK(has(result, "the audit row is written although the deadline has passed"));
  CHECK(has(result, "'GET /late': closed clean, cause deadline_exceeded"));
  CHECK(has(result, "2 spawned, 1 ok, 1 cancelled"));
  CHECK(has(result, "'GET /stuck': closed dirty, cause completed"));
  CHECK(has(result, "started at: nested_sessions.cpp:"));
  CHECK(has(result, "kept alive by: its own code, which is running"));
  CHECK(has(result, "child sessions: 2 closed, 1 dirty, 0 failed"));
}

TEST_CASE("the window of the GUI loop is drawn while a document loads") {
  const auto result = run(EXAMPLE_GUI_LOOP);
  CHECK(result.status == 0);
  CHECK(result.output == "title: loading ...\n"
                         "title: report.txt\n"
                         "the window was drawn meanwhile\n"
                         "closed clean after 30 frames\n");
}

TEST_CASE("the echo server's connections are ended by closing its session") {
  const auto result = run(EXAMPLE_ASIO_ECHO);
  CHECK(result.status == 0);
  CHECK(result.output == "answer: hello\n"
                         "server closed clean, clients closed clean\n");
}

#endif

TEST_CASE("a loop of frames and events drives a system by hand") {
  const auto result = run(EXAMPLE_FRAME_LOOP);
  CHECK(result.status == 0);
  CHECK(result.output == "loaded 20 parts, and drew many frames\n"
                         "closed clean\n");
}

#ifdef EXAMPLE_GLIB_LOOP

TEST_CASE("a system lives in GLib's main loop: timers, actors, and work from another thread wake it") {
  const auto result = run(EXAMPLE_GLIB_LOOP);
  CHECK(result.status == 0);
  CHECK(result.output == "main: right\n"
                         "lopp: wrong\n"
                         "loop: right\n"
                         "report.txt was chosen\n"
                         "GLib drew 5 frames\n"
                         "closed clean\n");
}

#endif

#ifdef EXAMPLE_GCD_DISPATCH_MAIN

TEST_CASE("a program that gives its main thread to GCD does its foreground work on the main queue, and ends") {
  const auto result = run(EXAMPLE_GCD_DISPATCH_MAIN);
  CHECK(result.status == 0);
  CHECK(result.output == "measured 1 on the main queue\n"
                         "measured 4 on the main queue\n"
                         "measured 9 on the main queue\n"
                         "closed clean, and 0 threads were started\n");
}

TEST_CASE("a program with a run loop of its own handles its keys and the main queue, and ends") {
  const auto result = run(EXAMPLE_GCD_POLL_LOOP);
  CHECK(result.status == 0);
  CHECK(result.output == "key a gives aaa\n"
                         "key b gives bbb\n"
                         "key q gives qqq\n"
                         "closed clean\n");
}

#endif
#ifdef EXAMPLE_PLAIN_CAF

TEST_CASE(
    "the bug of the plain CAF program is found, and replays by the command that is printed; the fixed one passes") {
  const checkout::temp_folder folder;
  const auto found = run(in_folder(folder.file("")) + EXAMPLE_PLAIN_CAF " explore cache-buggy");
  INFO(found.output);
  CHECK(found.status == 1);
  CHECK(has(found, "the cache answers with a value that the store has replaced"));
  CHECK(has(found, " forget "));
  const auto at = found.output.find("replay:");
  REQUIRE(at != std::string::npos);
  const auto from = found.output.find_first_not_of(' ', found.output.find(':', at) + 1);
  const auto replayed =
      run(in_folder(folder.file("")) + found.output.substr(from, found.output.find('\n', from) - from));
  INFO(replayed.output);
  CHECK(replayed.status == 1);
  CHECK(has(replayed, "the cache answers with a value that the store has replaced"));
  const auto fixed = run(EXAMPLE_PLAIN_CAF " explore cache-fixed --seeds 500");
  CHECK(fixed.status == 0);
  CHECK(has(fixed, "500 schedules"));
  CHECK(has(fixed, "0 failures"));
}

#endif
