// Jobs in processes of their own: a crash, or the memory of one, is nothing to the others.
#include "bench/find/processes.hpp"
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <map>
#include <poll.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace troupe::bench {
namespace {

[[noreturn]] void give_up(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

void write_all(int to, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto wrote = ::write(to, text.data() + at, text.size() - at);
    if (wrote < 0 && errno != EINTR)
      std::_Exit(3);
    at += wrote > 0 ? static_cast<std::size_t>(wrote) : 0;
  }
}

/// One job's process, and what it has written so far.
struct running_job {
  std::size_t number = 0;
  pid_t process = 0;
  std::string text;
};

void start(const std::function<std::string()>& job, std::size_t number, std::map<int, running_job>& running) {
  int ends[2];
  if (::pipe(ends) != 0)
    give_up("pipe");
  const auto process = ::fork();
  if (process < 0)
    give_up("fork");
  if (process == 0) {
    for (const auto& [other, ignored] : running)
      ::close(other);
    ::close(ends[0]);
    // The first byte says whether what follows is the result.
    std::string text;
    try {
      text = "+" + job();
    } catch (const std::exception& error) {
      text = std::string("-") + error.what();
    }
    write_all(ends[1], text);
    std::_Exit(0);
  }
  ::close(ends[1]);
  running[ends[0]] = {number, process, {}};
}

job_result result_of(const running_job& job) {
  int status = 0;
  while (::waitpid(job.process, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status))
    return {{}, "the process was ended by signal " + std::to_string(WTERMSIG(status))};
  if (WEXITSTATUS(status) != 0 || job.text.empty())
    return {{}, "the process ended itself with status " + std::to_string(WEXITSTATUS(status))};
  return job.text[0] == '+' ? job_result{job.text.substr(1), {}} : job_result{{}, job.text.substr(1)};
}

} // namespace

void run_in_processes(const std::vector<std::function<std::string()>>& jobs, unsigned at_once,
                      const std::function<void(std::size_t, job_result)>& ended) {
  std::map<int, running_job> running; // By the end to read from.
  std::size_t next = 0;
  while (next < jobs.size() || !running.empty()) {
    while (next < jobs.size() && running.size() < at_once) {
      start(jobs[next], next, running);
      ++next;
    }
    std::vector<pollfd> waiting;
    for (const auto& [from, job] : running)
      waiting.push_back({from, POLLIN, 0});
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR)
      give_up("poll");
    for (const auto& each : waiting) {
      if (each.revents == 0)
        continue;
      char buffer[4096];
      const auto got = ::read(each.fd, buffer, sizeof buffer);
      auto& job = running[each.fd];
      if (got > 0) {
        job.text.append(buffer, static_cast<std::size_t>(got));
      } else if (got == 0 || errno != EINTR) {
        ::close(each.fd);
        ended(job.number, result_of(job));
        running.erase(each.fd);
      }
    }
  }
}

} // namespace troupe::bench
