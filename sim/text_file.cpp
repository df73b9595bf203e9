// Files that are written whole or not at all.
#include "sim/text_file.hpp"
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace troupe {
namespace {
std::error_code reason(int number) { return {number != 0 ? number : EIO, std::generic_category()}; }
} // namespace

std::error_code can_write_file(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    return reason(EISDIR);
  if (fs::exists(path, ignored))
    return ::access(path.c_str(), W_OK) != 0 ? reason(errno) : std::error_code();
  const auto parent = fs::path(path).parent_path();
  const auto folder = parent.empty() ? std::string(".") : parent.string();
  if (fs::exists(folder, ignored) && !fs::is_directory(folder, ignored))
    return reason(ENOTDIR);
  return ::access(folder.c_str(), W_OK | X_OK) != 0 ? reason(errno) : std::error_code();
}

std::error_code write_file(const std::string& path, std::string_view text) {
  std::error_code failure;
  // What is no regular file (/dev/stdout, a pipe) cannot be renamed over.
  const auto status = std::filesystem::status(path, failure);
  const bool in_place = std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
  const auto target = in_place ? path : path + ".part" + std::to_string(::getpid());
  errno = 0;
  std::ofstream file(target, std::ios::binary | std::ios::trunc);
  if (file)
    file << text << std::flush;
  if (!file) {
    const auto why = reason(errno);
    file.close();
    if (!in_place)
      std::filesystem::remove(target, failure);
    return why;
  }
  file.close();
  if (in_place)
    return {};
  std::filesystem::rename(target, path, failure);
  if (!failure)
    return {};
  const auto why = failure;
  std::filesystem::remove(target, failure);
  return why;
}

} // namespace troupe
