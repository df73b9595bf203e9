// How often strategies find a bug of a given depth: k messages that arrive in exactly the reverse order, amid noise.
#include "tests/sim/reversed_arrivals.hpp"
#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  using namespace troupe;
  const auto seeds = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 6'000;
  if (argc > 2 || seeds == 0) {
    std::fprintf(stderr, "usage: %s [SEEDS]: the seeds of each rate, 6000 if it is not said\n", argv[0]);
    return 2;
  }
  constexpr int depths[] = {2, 3, 4};
  std::printf("| strategy | k = 2 | k = 3 | k = 4 |\n|---|---|---|---|\n");
  for (const std::string name : {"random", "speeds", "pos", "pct", "pctcp", "surw", "delay", "portfolio"}) {
    std::printf("| `%s` |", name.c_str());
    for (int k : depths) {
      const auto number = std::to_string(k);
      const auto spec = name == "pct" || name == "pctcp" ? name + ":depth=" + number
                        : name == "delay"                ? name + ":delays=" + number
                                                         : name;
      std::printf(" %.4f |", testing::hit_rate(spec, testing::reversed_arrivals(k), seeds));
      std::fflush(stdout);
    }
    std::printf("\n");
  }
}
