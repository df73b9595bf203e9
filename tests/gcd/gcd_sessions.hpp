// A system on the GCD dispatcher as a backend of the sessions' contracts.
#pragma once
#include "platform/gcd_dispatcher.hpp"
#include "sessions/system.hpp"
#include <doctest/doctest.h>

namespace troupe::test {

struct gcd_sessions {
  troupe::system& sys() noexcept { return system_; }

private:
  troupe::system system_{platform::make_gcd_dispatcher({.width = 2})};
};

} // namespace troupe::test

TYPE_TO_STRING(troupe::test::gcd_sessions);
