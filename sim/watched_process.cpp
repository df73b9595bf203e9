// Runs the program under test in another process and watches it there.
#include "sim/watched_process.hpp"
#include "sim/random_source.hpp"
#include "sim/run_progress.hpp"
#include "sim/text.hpp"
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <new>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <system_error>
#include <type_traits>
#include <unistd.h>
#include <utility>
#ifdef __linux__
#  include <sys/prctl.h>
#endif

namespace troupe {
namespace {

using namespace std::chrono_literals;

[[noreturn]] void give_up(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

/// Bytes of a process that it shares with no other; nothing if that cannot be known.
std::optional<std::uint64_t> memory_of(int process) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/statm", process);
  auto* file = std::fopen(path, "r");
  if (!file)
    return std::nullopt;
  unsigned long long size = 0, resident = 0, shared = 0;
  const auto read = std::fscanf(file, "%llu %llu %llu", &size, &resident, &shared);
  std::fclose(file);
  if (read != 3)
    return std::nullopt;
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return (resident - std::min(shared, resident)) * page;
}

/// What two processes share: a `run_progress`, and then the decisions of a run. Only what is used takes memory.
constexpr std::size_t decisions_at =
    (sizeof(run_progress) + alignof(decision) - 1) / alignof(decision) * alignof(decision);
constexpr std::size_t shared_bytes = decisions_at + run_progress::decisions_max * sizeof(decision);
static_assert(std::is_trivially_copyable_v<decision>);

std::string signal_text(int signal) { return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")"; }

/// Who debugs a program wants to see its runs, and may take his time.
bool is_debugged() {
  auto* file = std::fopen("/proc/self/status", "r");
  if (!file)
    return false;
  char line[128];
  int tracer = 0;
  while (std::fgets(line, sizeof line, file))
    if (std::sscanf(line, "TracerPid: %d", &tracer) == 1)
      break;
  std::fclose(file);
  return tracer != 0;
}

/// Whether this process, or one that it comes from, runs the program in others.
bool has_watched = false;

/// What whoever watches this process lets it have; if nobody does, any time for an event.
run_limits own_limits{.step_timeout = 0ms};

/// The same for a process that this one waits for, but less time: else this one would be seen to hang.
run_limits limits_within() {
  auto result = own_limits;
  result.step_timeout = own_limits.step_timeout > 0ms ? std::min(own_limits.step_timeout / 3, 3'000ms) : 3'000ms;
  return result;
}

} // namespace

bool can_watch_processes() noexcept { return true; }
bool can_limit_memory() noexcept { return memory_in_use() != 0; }
std::uint64_t memory_in_use() noexcept { return memory_of(::getpid()).value_or(0); }

watched_process::watched_process(const std::function<int()>& body, const run_limits& limits) : limits_(limits) {
  void* memory = ::mmap(nullptr, shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    give_up("mmap");
  progress_ = new (memory) run_progress;
  // Not made one by one: that would use all of it up at once.
  progress_->decisions = reinterpret_cast<decision*>(static_cast<char*>(memory) + decisions_at);
  has_watched = true;
  std::fflush(nullptr); // Else the child would write what is still buffered once more.
  std::cout.flush();
  process_ = ::fork();
  if (process_ < 0) {
    ::munmap(progress_, shared_bytes);
    give_up("fork");
  }
  if (process_ == 0) {
#ifdef __linux__
    ::prctl(PR_SET_PDEATHSIG, SIGKILL); // One that hangs would go on for ever without anybody who watches.
#endif
    run_progress::watched = progress_;
    own_limits = limits_;
    const auto status = body();
    std::cout.flush();
    std::fflush(nullptr);
    progress_->is_done = true;
    ::_exit(status); // The destructors of the parent's objects are the parent's to run.
  }
  last_look_ = std::chrono::steady_clock::now();
}

watched_process::~watched_process() {
  if (!status_) {
    ::kill(process_, SIGKILL);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  ::munmap(progress_, shared_bytes);
}

void watched_process::look() {
  if (ended_for_ || has_ended())
    return;
  const auto now = std::chrono::steady_clock::now();
  // Both processes may have been stopped together, or have had to wait for others: that time does not count.
  const auto passed = std::min<std::chrono::steady_clock::duration>(now - std::exchange(last_look_, now), 200ms);
  const auto events = progress_->events.load(std::memory_order_relaxed);
  if (std::exchange(events_seen_, events) != events || !progress_->is_running.load(std::memory_order_relaxed))
    idle_ = {};
  else
    idle_ += passed;
  if (limits_.step_timeout > 0ms && idle_ >= limits_.step_timeout) {
    give_up_on(verdict::hung);
    return;
  }
  if (limits_.memory_max == 0)
    return;
  const auto memory = memory_of(process_);
  if (!memory)
    return;
  if (!memory_before_)
    memory_before_ = memory;
  if (*memory > *memory_before_ && *memory - *memory_before_ > limits_.memory_max)
    give_up_on(verdict::out_of_memory);
}

bool watched_process::goes_on() {
  const auto seen = events_seen_;
  look();
  return events_seen_ != seen;
}

void watched_process::give_up_on(verdict how) {
  ended_for_ = how;
  ::kill(process_, SIGKILL);
}

bool watched_process::has_ended() {
  if (status_)
    return true;
  int status = 0;
  const auto ended = ::waitpid(process_, &status, WNOHANG);
  if (ended == process_)
    status_ = status;
  return status_.has_value();
}

process_end watched_process::join() {
  for (int wait_ms = 1; !has_ended(); wait_ms = std::min(wait_ms * 2, 20)) {
    look();
    ::poll(nullptr, 0, wait_ms);
  }
  process_end end;
  if (progress_->is_done)
    end.status = WIFEXITED(*status_) ? WEXITSTATUS(*status_) : 2;
  else
    end.loss = loss_of(*status_);
  return end;
}

process_loss watched_process::loss_of(int status) const {
  process_loss loss;
  const auto place = progress_->place.load();
  std::string where;
  if (place == 0)
    where = "the test itself";
  else if (progress_->event[0] != '\0')
    where = one_line(progress_->event);
  else
    where = "event " + std::to_string(progress_->number.load());
  if (ended_for_ == verdict::hung) {
    loss.how = verdict::hung;
    loss.message = "did not end within " + duration_text(limits_.step_timeout) + ": " + where;
  } else if (ended_for_) {
    loss.how = *ended_for_;
    loss.message = "took more than " + std::to_string(limits_.memory_max >> 20) + " MB of memory, in " + where;
  } else {
    loss.how = verdict::crashed;
    loss.message =
        "the program under test ended its process: " +
        (WIFSIGNALED(status) ? signal_text(WTERMSIG(status)) : "exit status " + std::to_string(WEXITSTATUS(status))) +
        ", in " + where;
  }
  const auto decided = progress_->decided.load(std::memory_order_acquire);
  if (progress_->is_running && decided <= run_progress::decisions_max)
    loss.run = {progress_->seed, progress_->model, {progress_->decisions, progress_->decisions + decided}};
  loss.cause =
      mix(mix(place, static_cast<std::uint64_t>(loss.how)), ended_for_ ? 0 : static_cast<std::uint64_t>(status));
  return loss;
}

std::optional<std::string> call_apart(const std::function<std::string()>& body) {
  if (!has_watched)
    return body();
  auto* const outer = run_progress::watched;
  int ends[2];
  if (::pipe(ends) != 0)
    give_up("pipe");
  watched_process other{[&] {
                          ::close(ends[0]);
#ifdef __linux__
                          ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
                          const auto text = body();
                          for (std::size_t written = 0; written < text.size();) {
                            const auto now = ::write(ends[1], text.data() + written, text.size() - written);
                            if (now <= 0)
                              return 1;
                            written += static_cast<std::size_t>(now);
                          }
                          return 0;
                        },
                        limits_within()};
  ::close(ends[1]);
  std::string result;
  for (pollfd ready{ends[0], POLLIN, 0};;) {
    char bytes[4096];
    if (::poll(&ready, 1, 20) == 0) {
      if (other.goes_on() && outer)
        outer->begin_run(); // what happens there is done for this one
      continue;
    }
    const auto got = ::read(ends[0], bytes, sizeof bytes);
    if (got > 0)
      result.append(bytes, static_cast<std::size_t>(got));
    else if (got == 0 || errno != EINTR)
      break;
  }
  ::close(ends[0]);
  const auto end = other.join();
  if (end.loss || end.status != 0)
    return std::nullopt;
  return result;
}

process_end call_watched(const std::function<int()>& body, const run_limits& limits) {
  if (is_debugged())
    return {body(), {}};
  return watched_process(body, limits).join();
}

} // namespace troupe
