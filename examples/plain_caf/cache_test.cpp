// The cache under test: each case runs under many orders of messages.
#include "examples/plain_caf/check_cache.hpp"
#include "sim/doctest.hpp"

TROUPE_SIM_TEST("a cache never keeps what it was told to forget", 500) {
  plain_caf::read_while_writing(sim, plain_caf::variant::fixed);
}

TEST_CASE("the buggy cache is found out within 500 orders") {
  bool found = false;
  for (std::uint64_t seed = 0; seed < 500 && !found; ++seed) {
    const auto result = troupe::simulator::once(
        seed, [](troupe::simulator& sim) { plain_caf::read_while_writing(sim, plain_caf::variant::buggy); });
    found = result.message.find("has replaced") != std::string::npos;
  }
  CHECK(found);
}
