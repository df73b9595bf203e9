// Runs the program under test in another process, so that one that crashes, hangs or takes all memory is a finding.
#pragma once
#include "sim/run_result.hpp"
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

struct run_progress;

/// What a run may take of the machine. Kept by the processes that `explore` and the command line start.
struct run_limits {
  /// Real time that one event may take; zero: any.
  std::chrono::milliseconds step_timeout = std::chrono::seconds{10};
  /// Bytes by which the process may grow; 0: any. Only kept where `can_limit_memory()`.
  std::uint64_t memory_max = std::uint64_t{1} << 30;
};

/// Whether there can be another process: not on Windows, and not in WebAssembly.
bool can_watch_processes() noexcept;
/// Whether the memory of another process can be seen: on Linux.
bool can_limit_memory() noexcept;
/// Bytes that are this process's own; 0 where that is not known.
std::uint64_t memory_in_use() noexcept;

/// A run as far as it had got when its process was lost.
struct unfinished_run {
  std::uint64_t seed = 0;
  order_model model = order_model::local;
  std::vector<decision> decisions;
};

/// Why a process has not done what it had to do.
struct process_loss {
  verdict how = verdict::crashed; ///< crashed, hung, or out_of_memory.
  std::string message;            ///< One line: what happened, and in which event.
  std::uint64_t cause = 0;        ///< Tells apart ways and places, without the words.
  /// The run that was lost; nothing if it was not during a run, or if that has had more than a million decisions.
  std::optional<unfinished_run> run;
};

/// How a process has ended.
struct process_end {
  int status = 0;                   ///< What its body returned.
  std::optional<process_loss> loss; ///< It did not return.
};

/// Another process that runs `body` and ends. Thread safety: the caller has one thread only.
class watched_process {
public:
  /// @throws std::system_error if there is no process to be had.
  watched_process(const std::function<int()>& body, const run_limits& limits);
  /// Ends it, if it still runs.
  ~watched_process();
  watched_process(const watched_process&) = delete;
  watched_process& operator=(const watched_process&) = delete;

  /// Ends it if it has gone beyond its limits. To be called every 20 ms or so.
  void look();
  /// The same. @returns whether anything has happened there since the last look
  bool goes_on();
  /// Whether it has ended, in whatever way.
  bool has_ended();
  /// Waits for its end, and goes on looking meanwhile.
  process_end join();

private:
  void give_up_on(verdict how);
  process_loss loss_of(int status) const;

  run_limits limits_;
  run_progress* progress_ = nullptr;
  int process_ = -1;
  std::optional<int> status_;
  std::optional<verdict> ended_for_;
  std::uint64_t events_seen_ = 0;
  std::chrono::steady_clock::time_point last_look_;
  std::chrono::steady_clock::duration idle_ = {};
  std::optional<std::uint64_t> memory_before_;
};

/// Calls `body` in another process and waits for it; in this one, where there is none to be had, or while it is
/// debugged (Linux).
process_end call_watched(const std::function<int()>& body, const run_limits& limits);

/// Calls `body`, which may run the program under test, where it cannot harm this process: in another one, for as long
/// as its runs go on. Here, if nothing is run in other processes (`explore_options::jobs` is 0), or there are none.
/// @returns what `body` did; nothing if its process was lost.
std::optional<std::string> call_apart(const std::function<std::string()>& body);

} // namespace troupe
