// A simulated system as a backend of the sessions' contracts.
#pragma once
#include "sessions/system.hpp"
#include "sim/engine.hpp"
#include "sim/random_strategy.hpp"
#include <cstdlib>
#include <doctest/doctest.h>

namespace troupe::test {

/// Each one gets the next seed; SEED in the environment says where they begin.
struct sim_sessions {
  sim_sessions() = default;
  ~sim_sessions() {
    CHECK_MESSAGE(!engine.has_failed(), engine.result().message);
    engine.begin_teardown();
    system_.shutdown(duration::zero());
    engine.end_all();
  }
  troupe::system& sys() noexcept { return system_; }

private:
  static std::uint64_t next_seed() {
    static std::uint64_t last = std::getenv("SEED") ? std::strtoull(std::getenv("SEED"), nullptr, 10) : 0;
    return ++last;
  }
  static system_options options(sim_engine& engine) {
    system_options options;
    options.host.router = &engine;
    options.log = [](const std::string&) {};
    return options;
  }

  random_strategy order{next_seed()};
  sim_engine engine{{}, order};
  troupe::system system_{engine, options(engine)};
};

} // namespace troupe::test

TYPE_TO_STRING(troupe::test::sim_sessions);
