// Says what is not tested on a system without fork.
#include <cstdio>
#include <doctest/doctest.h>

TEST_CASE("the fuzz program's command line") {
  std::puts("SKIPPED: the tests of the fuzz program's command line fork");
}
