// Files that are written whole or not at all: tapes and reports.
#pragma once
#include <string>
#include <string_view>
#include <system_error>

namespace troupe {

/// Writes `text` to the file, whole or not at all: what was there before stays until the new file is complete.
/// @returns why it could not; nothing if it could.
std::error_code write_file(const std::string& path, std::string_view text);

/// Whether `write_file` has a chance: to be told before hours of searching rather than after.
/// @returns why it has none; nothing if it has.
std::error_code can_write_file(const std::string& path);

} // namespace troupe
