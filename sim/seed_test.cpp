// Tests that run under many seeds: the parts that do not depend on a test framework.
#include "sim/seed_test.hpp"
#include "sim/chart.hpp"
#include "sim/determinism.hpp"
#include "sim/random_strategy.hpp"
#include "sim/same_failure.hpp"
#include "sim/shrink.hpp"
#include "sim/text.hpp"
#include <cstdlib>
#include <limits>

namespace troupe {
namespace {

bool read(const char* name, std::uint64_t least, std::optional<std::uint64_t>& value, std::string& error) {
  const char* text = std::getenv(name);
  if (!text || !*text)
    return true;
  value = unsigned_number(text);
  if (value && *value >= least)
    return true;
  error = std::string(name) + "=" + one_line(text) + " is not a number from " + std::to_string(least) + " to " +
          std::to_string(std::numeric_limits<std::uint64_t>::max());
  return false;
}

/// Where the report went, in a line; empty if none was asked for.
std::string saved_report(const explanation& explained, const report_facts& facts) {
  const char* path = std::getenv("TROUPE_REPORT");
  if (!path || !*path)
    return {};
  const auto problem = save_report(path, report_format_of_file(path).value_or(report_format::html), explained, facts);
  return "report: " + one_line(path) + (problem ? " cannot be written: " + problem.message() : "") + "\n";
}

} // namespace

std::optional<seed_range> seeds_from_environment(seed_range fallback, std::string& error) {
  std::optional<std::uint64_t> seed, iterations;
  if (!read("SEED", 0, seed, error) || !read("ITERATIONS", 1, iterations, error))
    return std::nullopt;
  seed_range range = fallback;
  if (seed)
    range = {*seed, 1};
  if (iterations)
    range.count = *iterations;
  if (range.count != 0 && range.count - 1 > std::numeric_limits<std::uint64_t>::max() - range.first) {
    error = "SEED and ITERATIONS go beyond " + std::to_string(std::numeric_limits<std::uint64_t>::max());
    return std::nullopt;
  }
  return range;
}

std::string explain_failure(const runner& run, const report_facts& facts, const run_result& failure) {
  const auto seed = facts.seed;
  random_strategy order(seed);
  auto again = run_twice(run, seed, order);
  if (again.end != verdict::nondeterminism && again.trace_hash != failure.trace_hash) {
    again.end = verdict::nondeterminism;
    again.message =
        "the seed led to another run the second time, and to the same as that the third time: look for what "
        "outlives a run (globals, statics)";
  }
  if (again.end == verdict::nondeterminism || !again.is_failure())
    return chart(again) + "The first run ended like this:\n" + verdict_text(failure);
  simulation_options options;
  options.seed = seed;
  // A test should not take long to say that it failed.
  auto shrunk = shrink(run, make_tape({}, {}, "random", options, again), {.max_runs = 1'000, .max_steps = 500'000});
  if (!same_failure(shrunk.run, again))
    return chart(again);
  const auto explained = explain(run, shrunk.shortest, {.max_runs = 200, .max_steps = 400'000});
  return chart(explained) + "(shrunk from " + std::to_string(shrunk.deliveries_before) + " deliveries to " +
         std::to_string(shrunk.deliveries_after) + ")\n" + saved_report(explained, facts);
}

} // namespace troupe
