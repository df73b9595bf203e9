// Where something was written: std::source_location, or its equal for compilers that lack it.
#pragma once
#include <cstdint>
#include <version>

#if defined(__cpp_lib_source_location)
#  include <source_location>
namespace troupe {
using source_location = std::source_location;
} // namespace troupe
#else
namespace troupe {
/// The part of std::source_location that Troupe uses, for compilers without it (clang 14 on libstdc++).
class source_location {
public:
  static constexpr source_location current(const char* file = __builtin_FILE(),
                                           const char* function = __builtin_FUNCTION(),
                                           std::uint_least32_t line = __builtin_LINE()) noexcept {
    source_location here;
    here.file_ = file;
    here.function_ = function;
    here.line_ = line;
    return here;
  }
  constexpr const char* file_name() const noexcept { return file_; }
  constexpr const char* function_name() const noexcept { return function_; }
  constexpr std::uint_least32_t line() const noexcept { return line_; }

private:
  const char* file_ = "";
  const char* function_ = "";
  std::uint_least32_t line_ = 0;
};
} // namespace troupe
#endif
