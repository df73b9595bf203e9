// Counting and finding the bits of a word without branches, on any processor. The ways are those of Vigna, "Broadword
// implementation of rank/select queries" (2008).
#pragma once
#include <cassert>
#include <cstdint>

namespace troupe {

/// In each byte, counted from the lowest one: how many bits are set in it and in those below it.
constexpr std::uint64_t bits_up_to_each_byte(std::uint64_t word) noexcept {
  word -= (word >> 1) & 0x5555555555555555u;
  word = (word & 0x3333333333333333u) + ((word >> 2) & 0x3333333333333333u);
  return ((word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u;
}

/// How many bits are set. Faster than `std::popcount` where that is a call, as it is on x86-64 without further flags.
constexpr unsigned count_of_bits(std::uint64_t word) noexcept {
  return static_cast<unsigned>(bits_up_to_each_byte(word) >> 56);
}

/// Where the bit is that has `index` set bits below it. It must exist.
constexpr unsigned place_of_bit(std::uint64_t word, unsigned index) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
  // How many bytes of `counts`, none of them above 127, are at most `limit`?
  const auto bytes_within = [](std::uint64_t counts, unsigned limit) {
    return static_cast<unsigned>((((((limit * ones) | highs) - counts) & highs) >> 7) * ones >> 56);
  };
  const auto counts = bits_up_to_each_byte(word);
  assert(index < counts >> 56);
  const auto below = 8 * bytes_within(counts, index); // all of them before the byte that has it
  const auto left = index - static_cast<unsigned>((counts << 8) >> below & 0xff);
  // One byte for each bit of that byte: 1 if it is set.
  const auto spread = ((word >> below & 0xff) * ones) & 0x8040201008040201u;
  const auto set = ((spread | ((spread | highs) - ones)) & highs) >> 7;
  return below + bytes_within(set * ones, left);
}

} // namespace troupe
