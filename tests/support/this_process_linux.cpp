// Asks Linux about the process.
#include "tests/support/this_process.hpp"
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>

namespace troupe::testing {
namespace {

/// Whether a thread has begun to end, or has ended. One that was joined has: `join` returns on a step of the kernel's
/// exit path that comes after the mark, while the thread stays in the list for some time.
bool is_ending(const std::filesystem::path& task) {
  constexpr unsigned long exiting = 0x4; // PF_EXITING of linux/sched.h
  std::ifstream file{task / "stat"};
  std::string text;
  if (!std::getline(file, text))
    return true; // gone since it was listed
  // Of proc(5)'s fields, what follows the name in parentheses: state ppid pgrp session tty tpgid flags.
  std::istringstream fields{text.substr(text.rfind(')') + 1)};
  std::string skipped;
  for (int i = 0; i < 6; ++i)
    fields >> skipped;
  unsigned long flags = 0;
  fields >> flags;
  return flags & exiting;
}

} // namespace

std::size_t thread_count() {
  const std::filesystem::directory_iterator tasks{"/proc/self/task"};
  return static_cast<std::size_t>(
      std::count_if(begin(tasks), end(tasks), [](const auto& task) { return !is_ending(task.path()); }));
}

std::size_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

} // namespace troupe::testing
