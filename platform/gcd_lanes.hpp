// The dedicated lanes of the GCD dispatcher: a serial queue each. Not installed.
#pragma once
#include "platform/gcd_api.hpp"
#include "platform/serial_lanes.hpp"

namespace troupe::platform {

/// A lane runs on one thread at a time, not always on the same one.
class gcd_lanes final : public serial_lanes {
public:
  /// @param owner What this is a part of; callbacks keep it alive.
  /// @param quiet Called, from a thread of GCD's, when a closed lane's work has ended.
  gcd_lanes(gcd_shared& owner, void (*quiet)(void*) noexcept, void* quiet_context) noexcept
      : owner_{owner}, quiet_{quiet}, quiet_context_{quiet_context} {}

  /// Waits for what runs. After `abandon` only, by one thread.
  void join() noexcept;

private:
  struct serial_queue;

  std::unique_ptr<entry> make_entry() override;
  bool begin(entry& which, const std::string& name) override;
  void queued(entry& which) noexcept override;
  void closed(entry& which) noexcept override;
  void request(serial_queue& self) noexcept;
  void drain(serial_queue& self) noexcept;

  gcd_shared& owner_;
  void (*quiet_)(void*) noexcept;
  void* quiet_context_;
  std::atomic<unsigned> running_ = 0; ///< Drains that have begun and not ended.
};

} // namespace troupe::platform
