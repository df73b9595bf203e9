// Says what is not tested on a system without a POSIX shell.
#include <cstdio>
#include <doctest/doctest.h>

TEST_CASE("the doctest macro as its users meet it") {
  std::puts("SKIPPED: the tests of the macro's programs are lines of a POSIX shell");
}

TEST_CASE("the command line of scenario programs") {
  std::puts("SKIPPED: the tests of the scenarios' command line are lines of a POSIX shell");
}
