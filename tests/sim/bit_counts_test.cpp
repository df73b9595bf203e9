// Counting and finding bits, against looking at one after the other.
#include "sim/bit_counts.hpp"
#include "sim/random_source.hpp"
#include <doctest/doctest.h>
#include <vector>

using namespace troupe;

TEST_CASE("bits are counted and found in words with few and with many of them") {
  random_source random(1);
  std::vector<std::uint64_t> words{0, ~std::uint64_t{0}, 1, std::uint64_t{1} << 63, 0xff00ff00ff00ff00u};
  for (int i = 0; i < 3'000; ++i) {
    const auto sparse = random() & random() & random(), dense = random() | random() | random();
    words.insert(words.end(), {random(), sparse, dense});
  }
  for (auto word : words) {
    CAPTURE(word);
    unsigned below = 0;
    bool is_right = true;
    for (unsigned place = 0; place < 64; ++place)
      if (word >> place & 1)
        is_right = is_right && place_of_bit(word, below++) == place;
    CHECK(is_right);
    CHECK(count_of_bits(word) == below);
  }
}
