// The check that a program does the same when the same is decided.
#pragma once
#include "sim/event_record.hpp"
#include "sim/runner.hpp"
#include <optional>
#include <string>

namespace troupe {

/// What a strategy sees of a run: which events become possible and happen. Where a program does not repeat itself this
/// or the number of values to choose from differs no later than anything else.
struct sighting {
  enum class what : std::uint8_t { enabled, withdrawn, happened };
  what is = what::enabled;
  event_name event;
  std::uint64_t place = 0;   ///< Where it happens.
  std::uint64_t content = 0; ///< The type of its message.
  bool operator==(const sighting&) const = default;
};

/// A run that can be compared with others of the same decisions.
class repetition {
public:
  /// Runs `seed` as `order` decides, with its trace unless only whether it differs is asked for. `run` must outlive
  /// this.
  repetition(const runner& run, std::uint64_t seed, strategy& order, bool trace = true);

  /// Runs it again, from the tape of the first run. @returns whether something else came of it: other events, messages
  /// of other types, other numbers of candidates, another end. What messages say may differ, since it may be addresses.
  bool differs_again();
  /// Which event was the first that differed, with both alternatives, and what programs like that mostly depend on, in
  /// a few lines. @pre differs_again() has returned true
  const std::string& difference() const noexcept { return difference_; }

  /// The second run, with `verdict::nondeterminism` and a message that tells the difference. @pre as above
  recorded_run& failure();

  recorded_run first;
  recorded_run second; ///< Of the last `differs_again`.

private:
  const runner& run_;
  std::uint64_t seed_;
  bool is_traced_;
  std::vector<sighting> seen_;
  std::string difference_;
};

/// Runs `seed` twice. @returns the first run, or if the second did something else, the second with
/// `verdict::nondeterminism` and a message that names the first event that differs.
run_result run_twice(const runner& run, std::uint64_t seed, strategy& order);

/// Names the first event in which two traces differ, in one or more lines; empty if none does. Addresses, that is 0x
/// and digits, are all the same.
std::string first_difference(const std::vector<trace_entry>& a, const std::vector<trace_entry>& b);

} // namespace troupe
