// The small text helpers.
#include "sim/names.hpp"
#include "sim/text.hpp"
#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;

TEST_CASE("text is measured and cut by code points") {
  CHECK(text_width("größe") == 5);
  CHECK(fitted("größe", 5) == "größe");
  CHECK(fitted("größer", 5) == "größ…");
  CHECK(fitted("größer", 0).empty());
  CHECK(padded("ö", 3) == "ö  ");
}

TEST_CASE("durations read well") {
  CHECK(duration_text({}) == "0");
  CHECK(duration_text(7ns) == "7 ns");
  CHECK(duration_text(250us) == "250 us");
  CHECK(duration_text(1500us) == "1.5 ms");
  CHECK(duration_text(30s) == "30 s");
  CHECK(duration_text(1001ms) == "1.001 s");
  CHECK(duration_text(-2s) == "-2 s");
}

TEST_CASE("numbers are taken whole or not at all") {
  CHECK(unsigned_number("18446744073709551615") == 18446744073709551615ull);
  for (const char* bad : {"", "18446744073709551616", "-1", "+1", " 1", "1 ", "1.0", "0x1", "1e3", "one"}) {
    INFO(bad);
    CHECK_FALSE(unsigned_number(bad).has_value());
  }
  CHECK(hex_number(hex_text(0xfeed)) == 0xfeed);
  CHECK_FALSE(hex_number("feed").has_value());
  CHECK_FALSE(hex_number("000000000000FEED").has_value());
}

TEST_CASE("words of a command line are quoted if they have to be") {
#ifdef _WIN32
  CHECK(shell_word("..\\run.exe") == "..\\run.exe");
  CHECK(shell_word("two orders") == "\"two orders\"");
  CHECK(shell_word("say \"hi\"") == "\"say \\\"hi\\\"\"");
  CHECK(shell_word("a folder\\") == "\"a folder\\\\\"");
  CHECK(shell_word("") == "\"\"");
#else
  CHECK(shell_word("./run") == "./run");
  CHECK(shell_word("two orders") == "'two orders'");
  CHECK(shell_word("it's") == "'it'\\''s'");
  CHECK(shell_word("") == "''");
#endif
}

TEST_CASE("messages become one line") {
  CHECK(one_line("a\n\nb\tc\n") == "a b c");
  CHECK(one_line("\n") == "");
}

TEST_CASE("unknown names get a suggestion or the list of what is known") {
  CHECK(unknown_name("scenario", "checkot", {"checkout", "raft"}) ==
        "unknown scenario \"checkot\"; did you mean \"checkout\"?");
  CHECK(unknown_name("scenario", "zzz", {"checkout", "raft"}) == "unknown scenario \"zzz\"; known: checkout, raft");
  CHECK(unknown_name("scenario", "x", {}) == "unknown scenario \"x\"; there is none");
}

TEST_CASE("every enumerator has a name of its own that leads back to it") {
  for (auto v : {verdict::ok, verdict::exception, verdict::failed, verdict::dangling, verdict::deadlock,
                 verdict::step_limit, verdict::nondeterminism, verdict::foreign_thread})
    CHECK(verdict_named(to_string(v)) == v);
  for (auto kind : {decision_kind::event, decision_kind::delay, decision_kind::random})
    CHECK(decision_kind_named(to_string(kind)) == kind);
  for (auto model : {order_model::local, order_model::atomic})
    CHECK(order_model_named(to_string(model)) == model);
  CHECK(std::string(to_string(event_kind::arrival)) == "arrival");
  CHECK(std::string(to_string(event_kind::value)) == "value");
  CHECK(std::string(to_string(verdict::step_limit)) == "step_limit"); // Tapes and JSON hold these names.
  CHECK(std::string(to_string(verdict::ok)) == "ok");
  CHECK_FALSE(verdict_named("fine").has_value());
}
