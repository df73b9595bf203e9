// Reading and writing of tape files.
#include "sim/tape.hpp"
#include "sim/text.hpp"
#include "sim/text_file.hpp"
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace troupe {
namespace {

class category final : public std::error_category {
public:
  const char* name() const noexcept override { return "troupe.tape"; }
  std::string message(int code) const override {
    switch (static_cast<tape_errc>(code)) {
    case tape_errc::unreadable:
      return "cannot be read";
    case tape_errc::unwritable:
      return "cannot be written";
    case tape_errc::not_a_tape:
      return "not a tape";
    case tape_errc::other_version:
      return "a tape of another format version";
    case tape_errc::truncated:
      return "a truncated tape";
    case tape_errc::corrupted:
      return "a corrupted tape";
    case tape_errc::other_program:
      return "recorded with another program";
    case tape_errc::other_scenario:
      return "recorded with another scenario";
    }
    return "unknown tape error";
  }
};

tape_error system_failure(tape_errc code, const std::string& path, int number) {
  return {code, "tape \"" + one_line(path) + "\": " + make_error_code(code).message() + ": " +
                    std::generic_category().message(number != 0 ? number : EIO)};
}

} // namespace

const std::error_category& tape_category() noexcept {
  static const category instance;
  return instance;
}

std::error_code make_error_code(tape_errc code) noexcept { return {static_cast<int>(code), tape_category()}; }

std::optional<tape> load_tape(const std::string& path, tape_error& error) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    error = system_failure(tape_errc::unreadable, path, EISDIR);
    return std::nullopt;
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    error = system_failure(tape_errc::unreadable, path, errno);
    return std::nullopt;
  }
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) {
    error = system_failure(tape_errc::unreadable, path, errno);
    return std::nullopt;
  }
  return parse_tape(text, path, error);
}

bool can_save_tape(const std::string& path, tape_error& error) {
  const auto problem = can_write_file(path);
  if (problem)
    error = system_failure(tape_errc::unwritable, path, problem.value());
  return !problem;
}

bool save_tape(const tape& recorded, const std::string& path, tape_error& error) {
  const auto problem = write_file(path, to_text(recorded));
  if (problem)
    error = system_failure(tape_errc::unwritable, path, problem.value());
  return !problem;
}

} // namespace troupe
