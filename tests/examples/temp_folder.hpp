// A folder that lives as long as a test does.
#pragma once
#include <filesystem>
#include <random>
#include <string>

namespace checkout {

class temp_folder {
public:
  temp_folder() {
    std::random_device dice;
    do
      path_ = (std::filesystem::temp_directory_path() / ("troupe-test-" + std::to_string(dice()))).string();
    while (!std::filesystem::create_directory(path_));
  }
  ~temp_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temp_folder(const temp_folder&) = delete;
  temp_folder& operator=(const temp_folder&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
  std::string path_;
};

} // namespace checkout
