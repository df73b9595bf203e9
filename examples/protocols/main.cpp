// A command line for the protocols: list, explore, replay, shrink.
#include "examples/protocols/protocols.hpp"

int main(int argc, char** argv) {
  troupe::scenario_set scenarios;
  protocols::add_all(scenarios);
  return troupe::scenario_main(scenarios, argc, argv);
}
