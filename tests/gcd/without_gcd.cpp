// Stands for the suite "gcd" where Troupe was built without GCD: skipped, with the reason.
#include <cstdio>

int main() {
  std::puts("SKIPPED: no GCD: " TROUPE_GCD_MISSING);
  return 77; // What Meson takes for skipped.
}
