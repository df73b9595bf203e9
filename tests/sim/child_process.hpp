// Runs a program as a user's shell would, in a folder of its own, and keeps what it says.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

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
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~child_folder() { std::filesystem::remove_all(path_); }
  child_folder(const child_folder&) = delete;
  child_folder& operator=(const child_folder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

  /// Runs one line of shell.
  child_result run(const std::string& command) const {
    auto line = "cd '" + path_.string() + "' && ( " + command + " ) >.out 2>.err </dev/null";
    auto status = std::system(line.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_file(path_ / ".out"),
            read_file(path_ / ".err")};
  }

private:
  std::filesystem::path path_;
};

inline std::size_t line_count(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

} // namespace troupe::testing
