// Jobs in processes of their own: a crash, or the memory of one, is nothing to the others.
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace troupe::bench {

/// How a job ended: what it returned, or why it did not.
struct job_result {
  std::string text;
  std::string error; ///< Empty if there is a text.
};

/// Runs each job in a process of its own, `at_once` at a time, and tells of each when it has ended, by its number.
/// @pre the calling process has one thread, and at_once > 0 @throws std::system_error if no process can be had
void run_in_processes(const std::vector<std::function<std::string()>>& jobs, unsigned at_once,
                      const std::function<void(std::size_t job, job_result)>& ended);

} // namespace troupe::bench
