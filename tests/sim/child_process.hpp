// Runs a program as a user's shell would, in a folder of its own, and keeps what it says.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#ifndef _WIN32
#  include <sys/wait.h>
#endif

namespace troupe::testing {

struct child_result {
  int status = -1; ///< Exit status; 128 and more for signals.
  std::string out;
  std::string err;

  /// The rest of the first line of `out` that starts with `name`.
  std::string after(const std::string& name) const {
    auto at = ("\n" + out).find("\n" + name);
    return at == out.npos ? "" : out.substr(at + name.size(), out.find('\n', at) - at - name.size());
  }
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A temporary folder that is the current one of what runs in it.
class child_folder {
public:
  child_folder() {
    std::random_device dice;
    do
      path_ = std::filesystem::temp_directory_path() / ("troupe-test-" + std::to_string(dice()));
    while (!std::filesystem::create_directory(path_));
  }
  ~child_folder() { std::filesystem::remove_all(path_); }
  child_folder(const child_folder&) = delete;
  child_folder& operator=(const child_folder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

#ifdef _WIN32
  /// Runs one line of cmd.
  child_result run(const std::string& command) const {
    auto line = "cd /d \"" + path_.string() + "\"&( " + command + " )>.out 2>.err <NUL";
    auto status = std::system(line.c_str());
    const auto text = [&](const char* name) {
      auto all = read_file(path_ / name);
      std::erase(all, '\r'); // The lines of a text end with two characters.
      return all;
    };
    return {status, text(".out"), text(".err")};
  }

  /// Assignments that are separated by spaces, for the command that follows.
  static std::string with(std::string environment) {
    std::string prefix;
    for (std::size_t from = 0, to = 0; from < environment.size(); from = to + 1) {
      to = std::min(environment.find(' ', from), environment.size());
      prefix += "set \"" + environment.substr(from, to - from) + "\"& ";
    }
    return prefix;
  }
#else
  /// Runs one line of shell.
  child_result run(const std::string& command) const {
    auto line = "cd '" + path_.string() + "' && ( " + command + " ) >.out 2>.err </dev/null";
    auto status = std::system(line.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_file(path_ / ".out"),
            read_file(path_ / ".err")};
  }

  /// Assignments that are separated by spaces, for the command that follows.
  static std::string with(const std::string& environment) { return environment + " "; }
#endif

private:
  std::filesystem::path path_;
};

inline std::size_t line_count(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

} // namespace troupe::testing
