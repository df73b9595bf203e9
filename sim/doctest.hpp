// Doctest tests that run under many seeds. The only header of the library that needs doctest.
#pragma once
#include "sim/random_strategy.hpp"
#include "sim/runner.hpp"
#include "sim/seed_test.hpp"
#include "sim/simulator.hpp"
#include <doctest/doctest.h>
#include <mutex>
#include <ostream>
#include <streambuf>
#include <string>
#include <utility>

/// A doctest test case that runs once per seed, 0 to SEEDS - 1, each in a simulated system of its own:
///
///   TROUPE_SIM_TEST("two orders never oversell", 100) { ... simulator& sim ... CHECK(stock >= 0); }
///
/// It stops at the first seed whose run fails: by its verdict, or by a CHECK or REQUIRE anywhere inside, actors and
/// tasks included. It then reports the seed, the chart of the shrunk run with its racing pair, and how to run that seed
/// alone. The environment overrides the seeds: SEED=n the first one, ITERATIONS=n how many; TROUPE_REPORT=FILE has the
/// failure as a page as well (or as FILE.jsonl, FILE.json, FILE.txt).
#define TROUPE_SIM_TEST(name, seeds) TROUPE_SIM_TEST_WITH(name, seeds, ::troupe::simulation_options{})

/// The same with other options; their `seed` is the first seed.
#define TROUPE_SIM_TEST_WITH(name, seeds, options)                                                                     \
  TROUPE_SIM_TEST_IMPLEMENT(name, seeds, (options), DOCTEST_ANONYMOUS(troupe_sim_test_))
#define TROUPE_SIM_TEST_IMPLEMENT(name, seeds, options, body)                                                          \
  static void body(::troupe::simulator& sim);                                                                          \
  DOCTEST_TEST_CASE(name) { ::troupe::detail::run_seed_test({name, __FILE__, __LINE__}, seeds, options, body); }       \
  static void body([[maybe_unused]] ::troupe::simulator& sim)

namespace troupe::detail {

/// Notices failing assertions wherever they are, since an actor's handler may swallow what REQUIRE throws.
class assertion_listener final : public doctest::IReporter {
public:
  explicit assertion_listener(const doctest::ContextOptions&) {}

  /// Forgets what was noticed. @returns it: the first failing assertion, empty if there was none.
  static std::string take() {
    std::lock_guard guard(mutex());
    return std::exchange(first(), {});
  }

  void log_assert(const doctest::AssertData& assertion) override {
    if (assertion.m_failed && (assertion.m_at & doctest::assertType::is_warn) == 0)
      notice(assertion.m_file, assertion.m_line,
             std::string(doctest::assertString(assertion.m_at)) + "( " + assertion.m_expr + " )");
  }
  void log_message(const doctest::MessageData& message) override {
    if ((message.m_severity & doctest::assertType::is_warn) == 0)
      notice(message.m_file, message.m_line, message.m_string.c_str());
  }
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_start(const doctest::TestCaseData&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}

private:
  static void notice(const char* file, int line, const std::string& what) {
    std::lock_guard guard(mutex());
    if (!first().empty())
      return;
    first() = std::string(file) + ":" + std::to_string(line) + ": " + what;
    if (auto* sim = simulator::current())
      sim->suspect();
  }
  static std::mutex& mutex() {
    static std::mutex instance;
    return instance;
  }
  static std::string& first() {
    static std::string instance;
    return instance;
  }
};

inline const int assertion_listener_is_registered = doctest::registerReporter<assertion_listener>("troupe", 1, false);

/// Keeps doctest quiet while a failing run is repeated: its assertions were printed the first time.
class muted_doctest {
public:
  muted_doctest() : out_(doctest::getContextOptions()->cout), before_(out_ ? out_->rdbuf(&nowhere_) : nullptr) {}
  ~muted_doctest() {
    if (out_)
      out_->rdbuf(before_);
  }
  muted_doctest(const muted_doctest&) = delete;
  muted_doctest& operator=(const muted_doctest&) = delete;

private:
  struct nowhere final : std::streambuf {
    int_type overflow(int_type c) override { return traits_type::not_eof(c); }
  };
  nowhere nowhere_;
  std::ostream* out_;
  std::streambuf* before_;
};

struct seed_test {
  const char* name;
  const char* file;
  int line;
};

/// How to run one seed of a test alone; doctest's filter takes `?` for any character.
inline std::string repeat_command(const seed_test& test, std::uint64_t seed) {
  std::string filter = test.name;
  for (char& c : filter)
    if (c == ',' || c == '"' || c == '\\' || c == '$' || c == '`' || c == '!')
      c = '?';
  return one_seed_prefix(seed) + doctest::getContextOptions()->binary_name.c_str() + " -tc=\"" + filter + "\"";
}

inline void run_seed_test(const seed_test& test, std::uint64_t seeds, const simulation_options& options,
                          const std::function<void(simulator&)>& body) {
  std::string error;
  const auto range = seeds_from_environment({options.seed, seeds}, error);
  if (!range) {
    DOCTEST_ADD_FAIL_CHECK_AT(test.file, test.line, error);
    return;
  }
  const runner run = [simulate = make_runner(body, options)](std::uint64_t seed, strategy& order, bool trace) {
    assertion_listener::take();
    auto result = simulate(seed, order, trace);
    if (auto failed = assertion_listener::take(); !failed.empty()) {
      result.end = verdict::failed;
      result.message = failed;
    }
    return result;
  };
  for (std::uint64_t i = 0; i < range->count; ++i) {
    const auto seed = range->first + i;
    random_strategy order(seed);
    const auto result = run(seed, order, false);
    if (!result.is_failure())
      continue;
    std::string explained;
    {
      muted_doctest quiet;
      explained = explain_failure(run, {test.name, "random", seed, {}, repeat_command(test, seed)}, result);
    }
    const auto report =
        "seed " + std::to_string(seed) + " fails:\n\n" + explained + "\nrepeat: " + repeat_command(test, seed);
    DOCTEST_ADD_FAIL_CHECK_AT(test.file, test.line, report);
    return;
  }
}

} // namespace troupe::detail
