// The JavaScript event loop, seen through a few calls. Not installed.
#pragma once

namespace troupe::platform::js_loop {

/// Milliseconds of the host's monotonic clock: what std::chrono::steady_clock counts, too, by a longer way.
double now() noexcept;

/// Someone who is called back by the loop: `turn` on a microtask or macrotask that was posted for it, `fired` when its
/// timer has. Callbacks for a guest that is gone are ignored.
class guest {
public:
  guest();
  guest(const guest&) = delete;
  guest& operator=(const guest&) = delete;
  /// Clears its timer.
  virtual ~guest();
  virtual void turn() noexcept = 0;
  virtual void fired() noexcept = 0;

  /// Before any timer or I/O of the host.
  void post_soon() noexcept;
  /// After the host's timers, I/O and rendering have had their chance.
  void post_next() noexcept;
  /// In `milliseconds` (0 to 2^31 - 1), instead of what was armed before.
  void arm(double milliseconds) noexcept;
  void disarm() noexcept;

private:
  const int number_;
};

} // namespace troupe::platform::js_loop
