// Measuring two ways of doing the same against each other, in turns, inside one process.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe::bench {

/// How many operations to do in one measurement of each kind.
struct workload {
  double scale = 1;
  /// `full` at scale 1, never less than 1.
  std::uint64_t of(std::uint64_t full) const noexcept {
    const auto scaled = static_cast<std::uint64_t>(static_cast<double>(full) * scale);
    return scaled == 0 ? 1 : scaled;
  }
};

/// Operations per second, measured once.
using measurement = std::function<double()>;

/// One line of the table.
struct comparison {
  std::string name;
  std::string group; ///< Lines of one group have a geometric mean together, if that has a bar.
  std::string unit;  ///< What is counted: "tasks", "messages".
  std::string theirs_name;
  measurement ours;
  measurement theirs;
  std::optional<double> bar_now;  ///< Least ratio that is asked for now, if any.
  std::optional<double> bar_goal; ///< Least ratio that the design wants in the end.
};

/// What came out of it; medians over all rounds.
struct measured {
  const comparison* what = nullptr;
  double ours = 0;
  double theirs = 0;
  double ratio = 0; ///< Median of the rounds' ratios, not ratio of the medians.
  double lowest = 0;
  double highest = 0;
};

/// Runs both sides `rounds` times, in turns, so that what else the machine does meets both alike. One unmeasured round
/// goes first. @pre rounds > 0
measured run_paired(const comparison& what, unsigned rounds);

double median(std::vector<double> values);
double geometric_mean(const std::vector<double>& values);

/// The comparisons, by what they are about. The workload is used when they run.
std::vector<comparison> task_comparisons(const workload& load);
std::vector<comparison> actor_comparisons(const workload& load);
std::vector<comparison> simulator_comparisons(const workload& load);
std::vector<comparison> gcd_comparisons(const workload& load); ///< None where Troupe was built without it.

/// Seconds that `work` takes.
double seconds_of(const std::function<void()>& work);

} // namespace troupe::bench
