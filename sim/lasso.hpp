// Finds that a run goes round in circles for ever: the same state again, after a stretch that was fair.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

/// What the detector is told after each event.
struct lasso_step {
  std::uint64_t state = 0;        ///< Hash of the whole program's.
  std::uint64_t step = 0;         ///< Events so far.
  std::uint64_t time = 0;         ///< Virtual.
  std::uint64_t oldest_since = 0; ///< After how many events what has been enabled for longest became so.
  bool awaits_time = false;       ///< Whether a timer is pending.
  std::string handled;            ///< What was handled in this event, in words; empty if it was none.
};

/// Part of a run that leads back to the state from which it began.
struct lasso {
  std::uint64_t first_step = 0;     ///< The state after this event
  std::uint64_t last_step = 0;      ///< is that after this one.
  std::vector<std::string> handled; ///< What was handled meanwhile, in order.
  /// In one or more lines.
  std::string to_text() const;
};

/// Remembers the states of a run. A cycle counts only if it is *fair*, so that no scheduler is to blame: nothing stayed
/// enabled through all of it without happening; every choice in it took each of its values; and if a timer was pending,
/// time went on. (A fair cycle for a property that is hot throughout is a counterexample to liveness: Vardi and Wolper,
/// LICS 1986.)
class lasso_detector {
public:
  /// The program has chosen `value` of [0, count) at `place`.
  void chose(std::uint64_t place, std::uint64_t count, std::uint64_t value, std::uint64_t step);
  /// @returns the cycle that this event has closed, if there is a fair one
  std::optional<lasso> after(lasso_step now);
  /// Forgets everything.
  void clear();

private:
  struct moment {
    std::uint64_t step, time;
  };
  bool is_fair(const moment& start, const lasso_step& end) const;

  std::unordered_map<std::uint64_t, std::vector<moment>> seen_; // by state: the first time, and the last
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<std::uint64_t>> choices_; // step of each value's last
  std::deque<std::pair<std::uint64_t, std::string>> handled_;                             // by step
};

} // namespace troupe
