// The threads of the dedicated lanes.
#include "platform/dedicated_lanes.hpp"
#include "platform/thread_name.hpp"
#include <condition_variable>
#include <thread>

namespace troupe::platform {

struct dedicated_lanes::lane_thread final : entry {
  std::condition_variable changed;
  bool waiting = false;
  std::thread thread; ///< Guarded by the table's mutex.
  std::string name;   ///< The thread's own while it runs.
};

std::unique_ptr<serial_lanes::entry> dedicated_lanes::make_entry() { return std::make_unique<lane_thread>(); }

bool dedicated_lanes::begin(entry& which, const std::string& name) {
  auto& self = static_cast<lane_thread&>(which);
  if (self.thread.joinable())
    self.thread.join();
  self.name = name;
  thread_count_.fetch_add(1);
  try {
    self.thread = std::thread{[this, &self] { run(self); }};
    return true;
  } catch (const std::system_error&) {
    thread_count_.fetch_sub(1);
    return false;
  }
}

void dedicated_lanes::queued(entry& which) noexcept {
  if (auto& self = static_cast<lane_thread&>(which); self.waiting)
    self.changed.notify_one();
}

void dedicated_lanes::closed(entry& which) noexcept { static_cast<lane_thread&>(which).changed.notify_one(); }

void dedicated_lanes::run(lane_thread& self) noexcept {
  std::unique_lock lock{self.mutex};
  name_this_thread(self.name);
  const inside here{*this, self.number};
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

void dedicated_lanes::join() noexcept {
  for_each([](entry& known) {
    if (auto& thread = static_cast<lane_thread&>(known).thread; thread.joinable())
      thread.join();
  });
}

} // namespace troupe::platform
