// A system that lives in the loop of its host: no threads, driven by hand.
#pragma once
#include "platform/guest_dispatcher.hpp"
#include "sessions/system.hpp"

namespace troupe {

/// A system on a `platform::guest_dispatcher`, for programs that own their loop: a game, a GUI toolkit, a test. The
/// thread that makes it is its main thread; everything runs there, inside `poll`.
///
/// The host calls `poll` when `wake_up` asks for it and when `next_deadline` has come. A host that stops doing so loses
/// nothing: `shutdown` and the destructor turn the loop themselves within their budget, and report what did not end. So
/// does `block_on` on the main thread, unless `may_block` is false.
class guest_system : public system {
public:
  explicit guest_system(platform::guest_dispatcher_options loop = {}, system_options options = {})
      : system(platform::make_guest_dispatcher(std::move(loop)), std::move(options)) {}

  /// Runs at most `budget` runnables (task steps, actors' turns, due timers). Main thread only. @returns how many.
  std::size_t poll(std::size_t budget = 256) { return loop().poll(budget); }
  /// When `poll` will next have something to do: past if now, nothing if never, as things stand. Read it after each
  /// `poll`. Any thread.
  std::optional<platform::time_point> next_deadline() const { return loop().next_deadline(); }

private:
  platform::guest_dispatcher& loop() const noexcept { return static_cast<platform::guest_dispatcher&>(dispatcher()); }
};

} // namespace troupe
