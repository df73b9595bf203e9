// What a program under test may say of itself, from anywhere inside a run.
#include "sim/specification.hpp"
#include "sim/engine.hpp"
#include "sim/simulator.hpp"
#include <stdexcept>

namespace troupe {
namespace {

simulator& running(const char* what) {
  if (auto* sim = simulator::current())
    return *sim;
  throw std::logic_error(std::string("troupe::") + what +
                         " was called outside of a simulated run: guard it with simulator::current()");
}

} // namespace

std::uint64_t choose(std::uint64_t count) {
  if (count == 0)
    throw std::logic_error("troupe::choose was asked for one of no values");
  return running("choose").choose(count);
}

void fail(const std::string& what) { running("fail").fail(what); }

monitor& detail::monitor_of_run(std::type_index type, std::unique_ptr<monitor> (*make)()) {
  return running("observe").monitor_of(type, make);
}

} // namespace troupe
