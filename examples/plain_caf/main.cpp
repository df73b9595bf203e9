// A command line for the cache's scenarios: list, explore, replay, shrink.
#include "examples/plain_caf/check_cache.hpp"
#include "sim/scenario.hpp"

int main(int argc, char** argv) {
  using namespace plain_caf;
  troupe::scenario_set scenarios;
  scenarios.add({"cache-buggy", "a cache keeps what it was told to forget",
                 [](troupe::simulator& sim) { read_while_writing(sim, variant::buggy); }});
  scenarios.add({"cache-fixed", "the same, with the bug fixed",
                 [](troupe::simulator& sim) { read_while_writing(sim, variant::fixed); }});
  return troupe::scenario_main(scenarios, argc, argv);
}
