// Spreads seeds over worker processes.
#include "sim/explore_workers.hpp"
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <poll.h>
#include <set>
#include <sys/mman.h>
#include <system_error>
#include <unistd.h>

namespace troupe {
namespace {

[[noreturn]] void give_up(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

/// What the processes share: the distance beyond which nobody has to search.
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

/// The lane of a schedule: those of one lane are run in order, by one process.
std::uint64_t lane_of(const strategy_factory& make, const explore_options& options, std::uint64_t distance) noexcept {
  return make.lanes == 0 ? distance : (options.first_seed + distance) % make.lanes;
}

struct worker {
  std::uint64_t number = 0;
  std::unique_ptr<watched_process> process;
  int results = -1;                ///< The reading end of its pipe; -1: it has ended.
  std::uint64_t next = 0;          ///< No record of its own before this distance is missing.
  std::set<std::uint64_t> no_more; ///< Lanes that have ended.
  bool is_over = false;            ///< Its process has ended; there may be records in the pipe.
  bool is_exhausted = false;
  std::vector<schedule_record> records;
  std::size_t torn = 0; ///< Bytes of a record that has not arrived whole.
  char buffer[sizeof(schedule_record)] = {};
};

class crew {
public:
  crew(const runner& run, const strategy_factory& make, const explore_options& options)
      : run_(run), make_(make), options_(options), workers_(options.jobs) {}
  ~crew() {
    for (auto& each : workers_)
      if (each.results >= 0)
        ::close(each.results);
  }
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;

  schedule_records operator()() {
    for (std::uint64_t number = 0; number < workers_.size(); ++number) {
      workers_[number].number = number;
      if (find_next(workers_[number]))
        start(workers_[number]);
    }
    collect();
    return merged();
  }

private:
  bool is_own(const worker& who, std::uint64_t distance) const {
    const auto lane = lane_of(make_, options_, distance);
    return lane % options_.jobs == who.number && !who.no_more.contains(lane);
  }

  /// Moves on to the worker's next schedule. @returns false if there is none left to run.
  bool find_next(worker& who) const {
    while (who.next < options_.seeds && who.next < bound_.get() && !is_own(who, who.next))
      ++who.next;
    return who.next < options_.seeds && who.next < bound_.get();
  }

  /// All of a worker process: runs its seeds in order and writes a record for each.
  void work(worker& me, int results) {
    std::uint64_t failures = 0;
    const auto memory_before = memory_in_use();
    for (std::uint64_t count = 1; find_next(me); ++me.next, ++count) {
      auto record = run_schedule(run_, make_, options_, me.next);
      if (record.end != verdict::ok && ++failures >= options_.failures)
        bound_.lower_to(me.next);
      if (::write(results, &record, sizeof record) != static_cast<ssize_t>(sizeof record))
        return; // Nobody is listening any more. A record is far below PIPE_BUF, so it is never written in part.
      if (record.is_last || failures >= options_.failures)
        return;
      // What a program leaks with each run must not count for the one that happens to be the last: another process goes
      // on. Not for a search, which would have to begin anew.
      if (count % 16 == 0 && make_.lanes != 1 && options_.limits.memory_max != 0 &&
          memory_in_use() > memory_before + options_.limits.memory_max / 2)
        return;
    }
  }

  void start(worker& who) {
    int ends[2];
    if (::pipe(ends) != 0)
      give_up("pipe");
    try {
      who.process = std::make_unique<watched_process>(
          [&] {
            ::close(ends[0]);
            for (const auto& each : workers_)
              if (each.results >= 0)
                ::close(each.results);
            work(who, ends[1]);
            return 0;
          },
          options_.limits);
    } catch (...) {
      ::close(ends[0]);
      ::close(ends[1]);
      throw;
    }
    ::close(ends[1]);
    who.results = ends[0];
    who.torn = 0;
  }

  void collect() {
    std::vector<pollfd> waiting;
    for (;;) {
      waiting.clear();
      for (auto& each : workers_)
        if (each.results >= 0) {
          waiting.push_back({each.results, POLLIN, 0});
          each.process->look();
          each.is_over = each.process->has_ended();
        }
      if (waiting.empty())
        return;
      if (::poll(waiting.data(), waiting.size(), 20) < 0 && errno != EINTR)
        give_up("poll");
      for (auto& each : workers_)
        for (const auto& ready : waiting)
          if (ready.fd == each.results) {
            if (ready.revents != 0)
              drain(each);
            else if (each.is_over)
              ended(each); // A process that the program under test has started holds the pipe open.
            break;
          }
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
        from.torn = 0;
        std::memcpy(&from.records.emplace_back(), from.buffer, sizeof from.buffer);
        take(from, from.records.back());
      }
    }
  }

  void take(worker& from, const schedule_record& record) {
    from.next = record.distance + 1;
    if (record.is_last)
      from.is_exhausted = true;
    else if (record.end != verdict::ok)
      failed_at(record.distance);
  }

  /// Nothing has to be searched beyond as many failures as were asked for.
  void failed_at(std::uint64_t distance) {
    failures_.insert(distance);
    if (failures_.size() > options_.failures)
      failures_.erase(std::prev(failures_.end()));
    if (failures_.size() == options_.failures)
      bound_.lower_to(*failures_.rbegin());
  }

  /// The worker's pipe is closed: it is done, or it was lost.
  void ended(worker& which) {
    ::close(which.results);
    which.results = -1;
    const auto end = which.process->join();
    which.process.reset();
    if (which.is_exhausted || !find_next(which))
      return;
    if (end.loss) {
      lost_.emplace(which.next, *end.loss);
      failed_at(which.next);
      if (const auto lane = lane_of(make_, options_, which.next);
          make_.lanes != 0 && !(make_.is_free && make_.is_free(lane)))
        which.no_more.insert(lane);
      ++which.next;
    }
    if (find_next(which))
      start(which);
  }

  schedule_records merged() {
    schedule_records all;
    for (const auto& each : workers_) {
      all.executed += each.records.size();
      all.in_order.insert(all.in_order.end(), each.records.begin(), each.records.end());
    }
    all.executed += lost_.size();
    std::sort(all.in_order.begin(), all.in_order.end(),
              [](const schedule_record& a, const schedule_record& b) { return a.distance < b.distance; });
    all.lost = std::move(lost_);
    if (failures_.size() == options_.failures) {
      const auto last = *failures_.rbegin();
      std::erase_if(all.in_order, [=](const schedule_record& each) { return each.distance > last; });
      std::erase_if(all.lost, [=](const auto& each) { return each.first > last; });
    }
    if (!all.in_order.empty() && all.in_order.back().is_last) {
      all.is_exhausted = !all.in_order.back().proves_nothing;
      all.is_inconclusive = !all.is_exhausted;
      all.in_order.pop_back();
      --all.executed;
    }
    return all;
  }

  const runner& run_;
  const strategy_factory& make_;
  const explore_options& options_;
  shared_bound bound_;
  std::vector<worker> workers_;
  std::set<std::uint64_t> failures_; ///< Distances of the lowest ones, as many as were asked for at most.
  std::map<std::uint64_t, process_loss> lost_;
};

} // namespace

unsigned most_jobs() noexcept { return 256; }

schedule_records explore_in_workers(const runner& run, const strategy_factory& make, const explore_options& options) {
  return crew(run, make, options)();
}

} // namespace troupe
