// Tape files: what is written is read again, and whatever is not such a file is refused by name.
#include "sim/tape.hpp"
#include "sim/text.hpp"
#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

using namespace troupe;
namespace fs = std::filesystem;

namespace {

tape sample() {
  tape t;
  t.program = "shop";
  t.scenario = "two orders";
  t.options.seed = 18'446'744'073'709'551'615ull;
  t.options.max_steps = 77;
  t.options.model = order_model::atomic;
  t.options.randomize_delays = true;
  t.options.fail_on_failed_session = false;
  t.options.faults = {.crash = 1, .drop = 20, .delayed_by = std::chrono::milliseconds(5)};
  t.end = verdict::deadlock;
  t.trace_hash = 0xfeed;
  t.decisions = {{decision_kind::event, 1, 3, 0xabc},
                 {decision_kind::delay, 0, 4, 0},
                 {decision_kind::random, 5, 6, 5},
                 {decision_kind::fault, 1, 2, 0xdef}};
  return t;
}

tape_error refusal(const std::string& text) {
  tape_error error;
  CHECK_FALSE(parse_tape(text, "x.tape", error).has_value());
  CHECK(error.message.find('\n') == error.message.npos);
  return error;
}

/// A folder of the test's own.
struct folder {
  fs::path path = fs::temp_directory_path() / ("troupe-tape-test-" + std::to_string(::getpid()));
  folder() { fs::create_directories(path); }
  ~folder() { fs::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
};

bool has_full_device() {
  std::error_code ignored;
  return fs::exists("/dev/full", ignored);
}

} // namespace

TEST_CASE("a tape survives its text") {
  const auto before = sample();
  tape_error error;
  const auto after = parse_tape(to_text(before), "x.tape", error);
  REQUIRE(after.has_value());
  CHECK(after->program == before.program);
  CHECK(after->scenario == before.scenario);
  CHECK(after->strategy == before.strategy);
  CHECK(after->options.seed == before.options.seed);
  CHECK(after->options.max_steps == before.options.max_steps);
  CHECK(after->options.model == before.options.model);
  CHECK(after->options.randomize_order == before.options.randomize_order);
  CHECK(after->options.randomize_delays == before.options.randomize_delays);
  CHECK(after->options.fail_on_failed_session == before.options.fail_on_failed_session);
  CHECK(to_text(after->options.faults) == "crash=1,drop=20,delayed_by_ns=5000000");
  CHECK(after->end == before.end);
  CHECK(after->trace_hash == before.trace_hash);
  CHECK(after->decisions == before.decisions);
}

TEST_CASE("a tape is readable") {
  const auto text = to_text(sample());
  CHECK(text.substr(0, text.find('\n')) == "troupe tape 3");
  CHECK(text.find("\nscenario: two orders\n") != text.npos);
  CHECK(text.find("\nseed: 18446744073709551615\n") != text.npos);
  CHECK(text.find("\nevent 1/3 0000000000000abc\ndelay 0/4 0000000000000000\n") != text.npos);
}

TEST_CASE("a tape without decisions and with odd names survives its text") {
  tape before;
  before.scenario = "two\nlines \\n: a\r";
  tape_error error;
  const auto after = parse_tape(to_text(before), "x.tape", error);
  REQUIRE(after.has_value());
  CHECK(after->scenario == before.scenario);
  CHECK(after->decisions.empty());
}

TEST_CASE("what is no tape is refused as such") {
  CHECK(refusal("").code == tape_errc::not_a_tape);
  CHECK(refusal("PNG...").code == tape_errc::not_a_tape);
  CHECK(refusal(std::string("\0\0\0\0", 4)).code == tape_errc::not_a_tape);
  CHECK(refusal("PNG...").message == "tape \"x.tape\": not a tape");
}

TEST_CASE("a tape of the version before, which had no faults, is read") {
  const std::string text = "troupe tape 2\n"
                           "troupe: 0.1.0\n"
                           "program: shop\n"
                           "scenario: old\n"
                           "strategy: random\n"
                           "seed: 7\n"
                           "model: local\n"
                           "max_steps: 100000\n"
                           "randomize_order: true\n"
                           "randomize_delays: false\n"
                           "fail_on_failed_session: true\n"
                           "fail_on_step_limit: true\n"
                           "temperature_max: 0\n"
                           "verdict: failed\n"
                           "trace_hash: 000000000000feed\n"
                           "decisions: 1\n"
                           "checksum: dcdc7dc869063989\n"
                           "event 1/3 0000000000000abc\n";
  tape_error error;
  const auto read = parse_tape(text, "old.tape", error);
  REQUIRE_MESSAGE(read.has_value(), error.message);
  CHECK(read->options.seed == 7);
  CHECK(read->options.faults.total() == 0);
  CHECK(read->decisions.size() == 1);
}

TEST_CASE("a tape of another format version is refused as such") {
  auto text = to_text(sample());
  text.replace(0, text.find('\n'), "troupe tape 4");
  CHECK(refusal(text).code == tape_errc::other_version);
  CHECK(refusal(text).message == "tape \"x.tape\": a tape of another format version: 4, this program reads 2 and 3");
}

TEST_CASE("a tape that was cut off anywhere is refused as truncated") {
  const auto text = to_text(sample());
  for (std::size_t size = 1; size < text.size(); ++size) {
    INFO("size ", size);
    CHECK(refusal(text.substr(0, size)).code == tape_errc::truncated);
  }
}

TEST_CASE("a tape with any one byte changed is refused") {
  const auto text = to_text(sample());
  const auto first_line = text.find('\n');
  for (std::size_t at = 0; at < text.size(); ++at)
    for (char change : {'\x01', '\x10'}) {
      auto damaged = text;
      damaged[at] = static_cast<char>(damaged[at] ^ change);
      INFO("byte ", at);
      const auto error = refusal(damaged);
      if (at > first_line)
        CHECK((error.code == tape_errc::corrupted || error.code == tape_errc::truncated));
    }
}

TEST_CASE("a tape with more behind its end is refused as corrupted") {
  CHECK(refusal(to_text(sample()) + "event 1/2 0000000000000001\n").code == tape_errc::corrupted);
  CHECK(refusal(to_text(sample()) + "x").code == tape_errc::corrupted);
}

TEST_CASE("a tape that claims more decisions than memory can hold is refused, not believed") {
  auto text = to_text(sample());
  const std::string claim = "decisions: 4\n";
  text.replace(text.find(claim), claim.size(), "decisions: 18446744073709551615\n");
  CHECK(refusal(text).code == tape_errc::truncated);
}

TEST_CASE("a tape of another program or scenario is refused by name") {
  tape_error error;
  CHECK(belongs_to(sample(), "shop", "two orders", "x.tape", error));
  CHECK_FALSE(belongs_to(sample(), "raft", "two orders", "x.tape", error));
  CHECK(error.code == tape_errc::other_program);
  CHECK(error.message == "tape \"x.tape\": recorded with another program: program \"shop\", not \"raft\"");
  CHECK_FALSE(belongs_to(sample(), "shop", "one order", "x.tape", error));
  CHECK(error.code == tape_errc::other_scenario);
}

TEST_CASE("a tape is saved and loaded again, and replaces what was there") {
  folder here;
  tape_error error;
  std::ofstream(here / "a.tape") << "something old and longer than what follows";
  REQUIRE(save_tape(sample(), here / "a.tape", error));
  const auto loaded = load_tape(here / "a.tape", error);
  REQUIRE(loaded.has_value());
  CHECK(loaded->decisions == sample().decisions);
  CHECK(std::distance(fs::directory_iterator(here.path), {}) == 1); // nothing temporary is left
}

TEST_CASE("files that cannot be read or written are said in one line") {
  folder here;
  tape_error error;
  CHECK_FALSE(load_tape(here / "missing.tape", error).has_value());
  CHECK(error.code == tape_errc::unreadable);
  CHECK(error.message.find("No such file") != error.message.npos);
  CHECK_FALSE(load_tape(here.path.string(), error).has_value());
  CHECK(error.code == tape_errc::unreadable);

  for (const auto& target : {here / "no/such/folder.tape", here.path.string()}) {
    CHECK_FALSE(can_save_tape(target, error));
    CHECK(error.code == tape_errc::unwritable);
    error = {};
    CHECK_FALSE(save_tape(sample(), target, error));
    CHECK(error.code == tape_errc::unwritable);
    CHECK(error.message.find('\n') == error.message.npos);
  }
  CHECK(can_save_tape(here / "fine.tape", error));
  CHECK_FALSE(fs::exists(here / "fine.tape"));
}

TEST_CASE("a full disk is noticed, and leaves the old tape alone" * doctest::skip(!has_full_device())) {
  tape_error error;
  CHECK_FALSE(save_tape(sample(), "/dev/full", error));
  CHECK(error.code == tape_errc::unwritable);
  CHECK(error.message.find("No space left") != error.message.npos);
}

TEST_CASE("deviations are the decisions that are not choice 0") {
  CHECK(deviations({}) == 0);
  CHECK(deviations(sample().decisions) == 3);
}
