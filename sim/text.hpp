// Small text helpers of the simulator's reports and command line.
#pragma once
#include "platform/dispatcher.hpp"
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Columns that UTF-8 text takes, one per code point.
std::size_t text_width(std::string_view text) noexcept;
/// Cuts text to `width` columns, the last one then an ellipsis.
std::string fitted(std::string_view text, std::size_t width);
/// `fitted`, and filled up with spaces.
std::string padded(std::string_view text, std::size_t width);
/// Line breaks and other control characters replaced by spaces: for messages that must be one line.
std::string one_line(std::string_view text);
/// "0", "250 us", "1.5 ms", "30 s": at most three decimals.
std::string duration_text(platform::duration span);
/// Sixteen hexadecimal digits.
std::string hex_text(std::uint64_t value);
/// Text as one word of a command line, quoted if it has to be: for a POSIX shell, or for cmd on Windows.
std::string shell_word(std::string_view text);
/// Reads decimal digits only: no sign, no spaces, no more than 64 bits.
std::optional<std::uint64_t> unsigned_number(std::string_view text) noexcept;
/// Reads exactly what `hex_text` writes.
std::optional<std::uint64_t> hex_number(std::string_view text) noexcept;
/// `unknown <what> "<name>"`, with what may have been meant or else all the known names.
std::string unknown_name(std::string_view what, std::string_view name, const std::vector<std::string>& known);

} // namespace troupe
