// The checkout program as its user meets it: exit status, and one clear line for what is wrong.
#include "tests/examples/temp_folder.hpp"
#include <array>
#include <cstdio>
#include <cstdlib>
#include <doctest/doctest.h>
#include <string>
#include <sys/wait.h>

using checkout::temp_folder;

namespace {

struct ended {
  int status = -1;
  std::string output; ///< Both streams.
};

ended run(const temp_folder& where, const std::string& arguments) {
  const char* program = std::getenv("CHECKOUT_PROGRAM");
  REQUIRE_MESSAGE(program, "CHECKOUT_PROGRAM names the program to test");
  const auto command = "cd '" + where.file("") + "' || exit 99; '" + program + "' " + arguments + " 2>&1";
  ended result;
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe);
  std::array<char, 4096> bytes;
  while (const auto count = fread(bytes.data(), 1, bytes.size(), pipe))
    result.output.append(bytes.data(), count);
  const int status = pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

bool is_one_line(const std::string& text) { return !text.empty() && text.find('\n') == text.size() - 1; }

} // namespace

TEST_CASE("arguments that cannot be used are answered by one line and status 2") {
  const temp_folder folder;
  for (const char* arguments :
       {"", "sell", "serve --port 65536", "serve --port many", "serve --colour red", "serve --variant best",
        "serve --stock book", "serve --stock book=-1", "serve --stock =1", "serve --deadline 0", "serve extra",
        "demo --seeds 0", "demo --clients 0", "demo --clients -5", "explore", "explore nothing",
        "replay checkout-fixed", "explore checkout-fixed --seeds many"}) {
    const auto result = run(folder, arguments);
    INFO(arguments);
    INFO(result.output);
    CHECK(result.status == 2);
    CHECK(is_one_line(result.output));
  }
}

TEST_CASE("a server that cannot start says why in one line and ends with status 1") {
  const temp_folder folder;
  const auto result = run(folder, "serve --port 0 --db no/such/orders.db");
  CHECK(result.status == 1);
  CHECK(result.output == "checkout: cannot open no/such/orders.db: unable to open database file\n");
}

TEST_CASE("help is no error") {
  const temp_folder folder;
  CHECK(run(folder, "--help").status == 0);
  const auto serving = run(folder, "serve --help");
  CHECK(serving.status == 0);
  CHECK(serving.output.find("--port") != std::string::npos);
}

TEST_CASE("both scenarios are listed") {
  const temp_folder folder;
  const auto result = run(folder, "list");
  CHECK(result.status == 0);
  CHECK(result.output.find("checkout-buggy") != std::string::npos);
  CHECK(result.output.find("checkout-fixed") != std::string::npos);
}

TEST_CASE("the demonstration ends by itself, and finds everything as it should be") {
  const temp_folder folder;
  const auto result = run(folder, "demo --seeds 300 --clients 40");
  INFO(result.output);
  CHECK(result.status == 0);
  CHECK(result.output.find("WRONG") == std::string::npos);
  CHECK(result.output.find("All is as it should be.") != std::string::npos);
}

TEST_CASE("a server that gets SIGTERM drains, prints its summary, and ends with status 0") {
  const temp_folder folder;
  // The program's name comes first on the line, and the shell waits for its first words.
  const auto result = run(folder, "serve --port 0 >out & server=$!; "
                                  "for i in $(seq 400); do grep -q listening out && break; sleep 0.05; done; "
                                  "kill -TERM $server; wait $server; status=$?; cat out; exit $status");
  INFO(result.output);
  CHECK(result.status == 0);
  CHECK(result.output.find("listening on http://127.0.0.1:") != std::string::npos);
  CHECK(result.output.find("request sessions: 0 closed") != std::string::npos);
}
