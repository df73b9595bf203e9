// The simulator's own random numbers: the same on every machine and with every compiler.
#pragma once
#include <cstdint>
#include <string_view>

namespace troupe {

/// A finaliser with good avalanche (splitmix64, Steele, Lea and Flood 2014).
constexpr std::uint64_t mix(std::uint64_t value) noexcept {
  value += 0x9e3779b97f4a7c15ull;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
  return value ^ (value >> 31);
}
/// Hashes a pair.
constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  return mix(mix(a) ^ (b + 0x632be59bd9b4e019ull));
}

/// Hashes text (FNV-1a, and a finaliser).
constexpr std::uint64_t hash_of_text(std::string_view text) noexcept {
  std::uint64_t hash = 14695981039346656037ull;
  for (char each : text)
    hash = (hash ^ static_cast<unsigned char>(each)) * 1099511628211ull;
  return mix(hash);
}

/// splitmix64 as a generator; meets UniformRandomBitGenerator. Use `below` instead of the standard distributions, whose
/// results differ between libraries. Thread safety: one thread at a time.
class random_source {
public:
  using result_type = std::uint64_t;
  explicit random_source(std::uint64_t seed = 0) noexcept : state_(mix(seed)) {}
  static constexpr result_type min() noexcept { return 0; }
  static constexpr result_type max() noexcept { return ~result_type{0}; }
  result_type operator()() noexcept {
    auto value = mix(state_);
    state_ += 0x9e3779b97f4a7c15ull;
    return value;
  }
  /// Uniform in [0, bound), up to a bias of bound/2^64. @pre bound > 0
  std::uint64_t below(std::uint64_t bound) noexcept {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>((*this)()) * bound) >> 64);
  }
  /// True with a probability of `numerator`/`denominator`.
  bool chance(std::uint64_t numerator, std::uint64_t denominator) noexcept { return below(denominator) < numerator; }

private:
  std::uint64_t state_;
};

} // namespace troupe
