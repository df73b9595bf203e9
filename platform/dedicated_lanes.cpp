// The threads of the dedicated lanes.
#include "platform/dedicated_lanes.hpp"
#include "platform/thread_name.hpp"
#include <condition_variable>
#include <thread>

namespace troupe::platform {
namespace {
constexpr std::uint32_t first_number = foreground_lane.number + 1;

struct place {
  const void* owner = nullptr;
  lane where;
};
constinit thread_local place current_place;
} // namespace

/// One place in the table. Used again, under another number, by the next lane once its thread has ended.
struct dedicated_lanes::lane_thread {
  std::mutex mutex; ///< Guards what follows.
  std::condition_variable changed;
  priority_lists queue;
  lane number;
  bool closing = true;
  bool waiting = false;
  bool ended = true;
  std::thread thread; ///< Guarded by the table's mutex.
  std::string name;   ///< The thread's own while it runs.
};

dedicated_lanes::dedicated_lanes(void (*quiet)(void*) noexcept, void* quiet_context)
    : quiet_{quiet}, quiet_context_{quiet_context} {}

dedicated_lanes::~dedicated_lanes() {
  for (auto& each : table_)
    delete each.load();
}

lane dedicated_lanes::open(std::string name, std::error_code& error) {
  std::lock_guard guard{table_mutex_};
  error = {};
  if (closed_) {
    error = make_error_code(dispatch_errc::stopped);
    return {};
  }
  for (std::uint32_t index = 0; index < lanes_max; ++index) {
    auto* entry = table_[index].load();
    if (!entry) {
      entry = new lane_thread;
      entry->number.number = first_number + index;
      table_[index].store(entry);
    } else {
      std::unique_lock lock{entry->mutex};
      if (!entry->ended)
        continue;
      lock.unlock();
      if (entry->thread.joinable())
        entry->thread.join();
      lock.lock();
      entry->number.number += lanes_max;
    }
    std::lock_guard lock{entry->mutex};
    entry->name = std::move(name);
    try {
      entry->thread = std::thread{[this, entry] { run(*entry); }};
    } catch (const std::system_error&) {
      break;
    }
    entry->closing = false;
    entry->ended = false;
    thread_count_.fetch_add(1);
    return entry->number;
  }
  error = make_error_code(dispatch_errc::too_many_lanes);
  return {};
}

dedicated_lanes::lane_thread* dedicated_lanes::find(lane where) const noexcept {
  return where.number < first_number ? nullptr : table_[(where.number - first_number) % lanes_max].load();
}

std::error_code dedicated_lanes::push(lane where, runnable& work, priority urgency) noexcept {
  auto* entry = find(where);
  if (!entry)
    return make_error_code(dispatch_errc::unknown_lane);
  std::lock_guard lock{entry->mutex};
  if (entry->closing || entry->number != where)
    return make_error_code(dispatch_errc::unknown_lane);
  entry->queue.push(work, urgency);
  if (entry->waiting)
    entry->changed.notify_one();
  return {};
}

void dedicated_lanes::close(lane where) noexcept {
  auto* entry = find(where);
  if (!entry)
    return;
  std::lock_guard lock{entry->mutex};
  if (entry->number != where)
    return;
  entry->closing = true;
  entry->changed.notify_one();
}

void dedicated_lanes::run(lane_thread& self) noexcept {
  std::unique_lock lock{self.mutex};
  name_this_thread(self.name);
  current_place = {this, self.number};
  for (;;) {
    if (runnable* work = self.queue.pop()) {
      lock.unlock();
      work->run();
      lock.lock();
    } else if (self.closing) {
      break;
    } else {
      self.waiting = true;
      self.changed.wait(lock);
      self.waiting = false;
    }
  }
  self.ended = true;
  thread_count_.fetch_sub(1);
  lock.unlock();
  quiet_(quiet_context_);
}

void dedicated_lanes::close_all() noexcept {
  std::lock_guard guard{table_mutex_};
  closed_ = true;
  for (auto& each : table_)
    if (auto* entry = each.load())
      close(entry->number);
}

bool dedicated_lanes::is_quiet() noexcept {
  for (auto& each : table_)
    if (auto* entry = each.load()) {
      std::lock_guard lock{entry->mutex};
      if (!entry->ended)
        return false;
    }
  return true;
}

void dedicated_lanes::abandon() noexcept {
  for (auto& each : table_)
    while (auto* entry = each.load()) {
      std::unique_lock lock{entry->mutex};
      runnable* work = entry->queue.pop();
      lock.unlock();
      if (!work)
        break;
      work->drop();
    }
}

void dedicated_lanes::join() noexcept {
  for (auto& each : table_)
    if (auto* entry = each.load(); entry && entry->thread.joinable())
      entry->thread.join();
}

bool dedicated_lanes::is_on(lane where) const noexcept {
  return current_place.owner == this && current_place.where == where;
}

} // namespace troupe::platform
