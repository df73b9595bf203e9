// When a supervised child that ended is started again, which of its siblings go with it, and how soon.
#pragma once
#include "platform/dispatcher.hpp"
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace troupe {

/// Which ends of a child call for a restart.
enum class restart : std::uint8_t {
  permanent, ///< Every end.
  transient, ///< Only a failure.
  temporary, ///< None.
};

/// Who is restarted together with a child.
enum class supervision_strategy : std::uint8_t {
  one_for_one,  ///< The child alone.
  one_for_all,  ///< All children.
  rest_for_one, ///< The child and those started after it.
};

/// How long to wait before restart number n of a burst: min(initial * factor^(n-1), max), then moved by at most
/// +- jitter (a fraction of it), never beyond max.
struct backoff_options {
  platform::duration initial = std::chrono::milliseconds{10};
  platform::duration max = std::chrono::seconds{10};
  double factor = 2.0;
  double jitter = 0.2;
};

/// When children are restarted, and when that is given up.
struct supervision_options {
  supervision_strategy strategy = supervision_strategy::one_for_one;
  unsigned max_restarts = 3; ///< Within `window`; one more escalates.
  platform::duration window = std::chrono::seconds{5};
  backoff_options backoff = {};
};

/// The wait before the `attempt`th restart (from 1). `random` is in [0, 1).
platform::duration backoff_delay(const backoff_options& options, unsigned attempt, double random) noexcept;

/// Counts the restarts of the last `window`.
class restart_window {
public:
  restart_window(unsigned max_restarts, platform::duration window) noexcept : max_(max_restarts), window_(window) {}

  /// Takes note of one restart at `now` (never earlier than the last one). @returns false if that is one too many.
  bool admit(platform::time_point now);
  /// Restarts within the window that ends at `now`.
  unsigned count(platform::time_point now);

private:
  void forget_before(platform::time_point now);
  unsigned max_;
  platform::duration window_;
  std::deque<platform::time_point> restarts_;
};

/// What to do about a child that ended.
struct restart_decision {
  enum action_kind : std::uint8_t { none, restart_children, escalate } action = none;
  std::vector<std::size_t> to_stop;  ///< Living siblings to be stopped first, in this order (reverse start order).
  std::vector<std::size_t> to_start; ///< To be started then, in this order.
  platform::duration delay = {};     ///< To be waited before starting.
};

/// Decides for a group of children that are numbered in their order of starting. Pure: time and randomness come in as
/// arguments. Not thread-safe.
class restart_policy {
public:
  explicit restart_policy(supervision_options options);

  /// @returns the number of the new child, which counts as running.
  std::size_t add(restart when);
  /// Takes back the last `add`.
  void remove_last() { children_.pop_back(); }
  /// Child `which` ended; `failed` tells how. Each call counts once against the intensity, however many are restarted.
  restart_decision ended(std::size_t which, bool failed, platform::time_point now, double random);
  /// Child `which` was stopped on request, or is being started again.
  void stopped(std::size_t which) { children_.at(which).running = false; }
  void started(std::size_t which) { children_.at(which).running = true; }

  bool is_running(std::size_t which) const { return children_.at(which).running; }
  std::size_t size() const noexcept { return children_.size(); }
  const supervision_options& options() const noexcept { return options_; }

private:
  struct child {
    restart when;
    bool running = true;
    bool finished = false; // ended, and never to be started again
  };
  supervision_options options_;
  restart_window window_;
  std::vector<child> children_;
};

} // namespace troupe
