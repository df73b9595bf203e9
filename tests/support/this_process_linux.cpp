// Asks Linux about the process.
#include "tests/support/this_process.hpp"
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace troupe::testing {

std::size_t thread_count() {
  const std::filesystem::directory_iterator tasks{"/proc/self/task"};
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

std::size_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

} // namespace troupe::testing
