// Troupe's own fuzz targets: none fails, whatever the input.
#include "fuzz/targets.hpp"
#include "sim/chart.hpp"
#include "sim/fuzz_input.hpp"
#include "sim/random_source.hpp"
#include <doctest/doctest.h>
#include <set>

using namespace troupe;

TEST_CASE("the plan's three targets are there") {
  scenario_set targets;
  fuzz_targets::add_scenarios(targets);
  for (const char* name : {"basic", "sessions", "priorities"})
    CHECK(targets.find(name));
}

TEST_CASE("no target fails on arbitrary bytes, and each behaves in many ways") {
  scenario_set targets;
  fuzz_targets::add_scenarios(targets);
  for (const auto& target : targets.all()) {
    CAPTURE(target.name);
    std::set<std::uint64_t> traces;
    random_source random(1);
    for (int i = 0; i < 200; ++i) {
      std::vector<std::uint8_t> data(random.below(160));
      for (auto& each : data)
        each = static_cast<std::uint8_t>(random());
      const auto result = run_fuzz_input(target, data);
      traces.insert(result.trace_hash);
      INFO(verdict_text(result));
      REQUIRE(result.end == verdict::ok);
    }
    CHECK(traces.size() > 50);
  }
}
