// Spreads seeds over worker processes.
#include "sim/explore_workers.hpp"
#include <algorithm>
#include <atomic>
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
#include <unistd.h>

namespace troupe {
namespace {

[[noreturn]] void give_up(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

/// What the processes share: the distance of the lowest failure so far, so that nobody searches beyond it.
class shared_bound {
public:
  shared_bound() {
    void* memory = ::mmap(nullptr, sizeof(value), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      give_up("mmap");
    value_ = new (memory) value(~std::uint64_t{0});
  }
  ~shared_bound() { ::munmap(value_, sizeof(value)); }
  shared_bound(const shared_bound&) = delete;
  shared_bound& operator=(const shared_bound&) = delete;

  std::uint64_t get() const noexcept { return value_->load(); }
  void lower_to(std::uint64_t distance) noexcept {
    auto known = value_->load();
    while (distance < known && !value_->compare_exchange_weak(known, distance)) {
    }
  }

private:
  using value = std::atomic<std::uint64_t>;
  static_assert(value::is_always_lock_free);
  value* value_;
};

struct worker {
  pid_t process = -1;
  int results = -1; ///< The reading end of its pipe.
  std::vector<schedule_record> records;
  std::size_t torn = 0; ///< Bytes of a record that has not arrived whole.
  char buffer[sizeof(schedule_record)] = {};
};

/// Which process runs the schedule at `distance` from the first seed.
std::uint64_t process_of(const strategy_factory& make, const explore_options& options,
                         std::uint64_t distance) noexcept {
  return (make.lanes == 0 ? distance : (options.first_seed + distance) % make.lanes) % options.jobs;
}

/// All of a worker process: runs its seeds in order and writes a record for each.
void work(const runner& run, const strategy_factory& make, const explore_options& options, unsigned number,
          shared_bound& bound, int results) {
  for (std::uint64_t i = 0; i < options.seeds && i < bound.get(); ++i) {
    if (process_of(make, options, i) != number)
      continue;
    auto record = run_schedule(run, make, options.first_seed + i);
    if (record.end != verdict::ok)
      bound.lower_to(i);
    if (::write(results, &record, sizeof record) != static_cast<ssize_t>(sizeof record))
      return; // Nobody is listening any more. A record is far below PIPE_BUF, so it is never written in part.
    if (record.end != verdict::ok || record.is_last)
      return;
  }
}

class crew {
public:
  crew(const runner& run, const strategy_factory& make, const explore_options& options)
      : run_(run), make_(make), options_(options), workers_(options.jobs) {}
  ~crew() {
    for (auto& each : workers_) {
      if (each.results >= 0)
        ::close(each.results);
      if (each.process > 0) {
        ::kill(each.process, SIGKILL);
        ::waitpid(each.process, nullptr, 0);
      }
    }
  }
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;

  schedule_records operator()() {
    std::fflush(nullptr); // Else each child would write what is still buffered once more.
    std::cout.flush();
    for (unsigned number = 0; number < options_.jobs; ++number)
      start(number);
    collect();
    return merged();
  }

private:
  void start(unsigned number) {
    int ends[2];
    if (::pipe(ends) != 0)
      give_up("pipe");
    auto process = ::fork();
    if (process < 0) {
      ::close(ends[0]);
      ::close(ends[1]);
      give_up("fork");
    }
    if (process == 0) {
      ::close(ends[0]);
      for (const auto& each : workers_)
        if (each.results >= 0)
          ::close(each.results);
      work(run_, make_, options_, number, bound_, ends[1]);
      std::cout.flush();
      std::fflush(nullptr);
      ::_exit(0); // The destructors of the parent's objects are the parent's to run.
    }
    ::close(ends[1]);
    workers_[number].process = process;
    workers_[number].results = ends[0];
  }

  void collect() {
    std::vector<pollfd> waiting;
    for (;;) {
      waiting.clear();
      for (const auto& each : workers_)
        if (each.results >= 0)
          waiting.push_back({each.results, POLLIN, 0});
      if (waiting.empty())
        return;
      if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR)
        give_up("poll");
      for (auto& each : workers_)
        for (const auto& ready : waiting)
          if (ready.fd == each.results && ready.revents != 0)
            drain(each);
      // Many records per turn: waking up for each would cost as much as a small schedule.
      ::poll(nullptr, 0, 2);
    }
  }

  void drain(worker& from) {
    char bytes[512 * sizeof(schedule_record)];
    auto got = ::read(from.results, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR)
      return;
    if (got <= 0) {
      ended(from);
      return;
    }
    for (const char* at = bytes; at != bytes + got;) {
      auto part = std::min<std::size_t>(sizeof from.buffer - from.torn, static_cast<std::size_t>(bytes + got - at));
      std::memcpy(from.buffer + from.torn, at, part);
      at += part;
      from.torn += part;
      if (from.torn == sizeof from.buffer) {
        std::memcpy(&from.records.emplace_back(), from.buffer, sizeof from.buffer);
        from.torn = 0;
      }
    }
  }

  /// The worker's pipe is closed: it is done, or it crashed.
  void ended(worker& which) {
    ::close(which.results);
    which.results = -1;
    int status = 0;
    while (::waitpid(which.process, &status, 0) < 0 && errno == EINTR) {
    }
    which.process = -1;
    auto number = static_cast<std::uint64_t>(&which - workers_.data());
    if (!which.records.empty() && which.records.back().is_last)
      return;
    // The first one of its own that it has said nothing about.
    std::uint64_t distance = 0;
    for (auto told = which.records.size(); distance < options_.seeds; ++distance)
      if (process_of(make_, options_, distance) == number && told-- == 0)
        break;
    // Not by its status: a program under test may call exit(0).
    if (distance >= options_.seeds || distance >= bound_.get())
      return;
    bound_.lower_to(distance);
    if (distance >= crashed_at_)
      return;
    crashed_at_ = distance;
    crash_ = "the program under test ended its process: ";
    if (WIFSIGNALED(status))
      crash_ += "signal " + std::to_string(WTERMSIG(status)) + " (" + ::strsignal(WTERMSIG(status)) + ")";
    else
      crash_ += "exit status " + std::to_string(WEXITSTATUS(status));
  }

  schedule_records merged() {
    schedule_records all;
    for (const auto& each : workers_)
      all.executed += each.records.size();
    std::vector<std::size_t> taken(workers_.size());
    for (std::uint64_t i = 0; i < options_.seeds && !all.first_failure; ++i) {
      const auto number = process_of(make_, options_, i);
      const auto& records = workers_[number].records;
      if (i == crashed_at_) {
        all.first_failure = i;
        all.is_crash = true;
        all.crash = crash_;
      } else {
        all.in_order.push_back(records.at(taken[number]++));
        if (const auto last = all.in_order.back(); last.is_last) {
          all.in_order.pop_back();
          --all.executed;
          all.is_exhausted = !last.has_diverged;
          break;
        }
        if (all.in_order.back().end != verdict::ok)
          all.first_failure = i;
      }
    }
    return all;
  }

  const runner& run_;
  const strategy_factory& make_;
  const explore_options& options_;
  shared_bound bound_;
  std::vector<worker> workers_;
  std::uint64_t crashed_at_ = ~std::uint64_t{0};
  std::string crash_;
};

} // namespace

unsigned most_jobs() noexcept { return 256; }

schedule_records explore_in_workers(const runner& run, const strategy_factory& make, const explore_options& options) {
  return crew(run, make, options)();
}

} // namespace troupe
