// Points where the program under test lets things go wrong, by name.
#include "sim/fault_point.hpp"
#include "sim/engine.hpp"
#include "sim/simulator.hpp"

namespace troupe {

bool fault_point(std::string_view name) {
  auto* sim = simulator::current();
  return sim && sim->engine().passes_fault_point(name);
}

void crash_point(std::string_view name) {
  if (auto* sim = simulator::current(); sim && sim->engine().passes_crash_point(name))
    throw injected_crash{};
}

} // namespace troupe
