// Serial lanes with a thread of their own each. Not installed.
#pragma once
#include "platform/serial_lanes.hpp"

namespace troupe::platform {

/// The dedicated lanes of a dispatcher that has threads: the thread of a lane ends when the closed lane's work has.
class dedicated_lanes final : public serial_lanes {
public:
  /// @param quiet Called, from a lane's thread, when it has ended.
  dedicated_lanes(void (*quiet)(void*) noexcept, void* quiet_context) noexcept
      : quiet_{quiet}, quiet_context_{quiet_context} {}

  /// Waits for the threads. After `close_all` only, by one thread.
  void join() noexcept;

  /// Threads that have not ended.
  std::size_t thread_count() const noexcept { return thread_count_.load(); }

private:
  struct lane_thread;

  std::unique_ptr<entry> make_entry() override;
  bool begin(entry& which, const std::string& name) override;
  void queued(entry& which) noexcept override;
  void closed(entry& which) noexcept override;
  void run(lane_thread& self) noexcept;

  void (*quiet_)(void*) noexcept;
  void* quiet_context_;
  std::atomic<std::size_t> thread_count_ = 0;
};

} // namespace troupe::platform
