// A system on the Asio dispatcher as a backend of the sessions' contracts.
#pragma once
#include "sessions/system.hpp"
#include <doctest/doctest.h>

namespace troupe::test {

struct asio_sessions {
  troupe::system& sys() noexcept { return system_; }

private:
  troupe::system system_{{.background_threads = 2}};
};

} // namespace troupe::test

TYPE_TO_STRING(troupe::test::asio_sessions);
