// The main function of a fuzz program: compiled with the namespace whose `add_scenarios` fills its set.
#include "fuzz/fuzz_main.hpp"

namespace TROUPE_FUZZ_NAMESPACE {
void add_scenarios(troupe::scenario_set& scenarios);
}

int main(int argc, char** argv) {
  troupe::scenario_set scenarios;
  TROUPE_FUZZ_NAMESPACE::add_scenarios(scenarios);
  return troupe::fuzz_main(scenarios, argc, argv);
}
