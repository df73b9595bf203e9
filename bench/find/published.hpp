// Figures that others have published for the same programs.
#pragma once
#include <array>
#include <string_view>

namespace troupe::bench {

/// Invocations out of 100, each of at most 10,000 schedules, in which a strategy found the mistake.
struct published_share {
  std::string_view program;
  std::string_view theirs; ///< The strategy, as they call it.
  std::string_view ours;   ///< What comes closest to it here; empty if nothing does.
  int share = 0;
};

/// Mukherjee, Deligiannis, Biswas, Lal, "Learning-Based Controlled Concurrency Testing", OOPSLA 2020, for P#.
inline constexpr std::uint64_t published_schedules = 10'000;
inline constexpr std::array<published_share, 21> published_shares = {{
    {"failure-detector", "QL", "ql", 100},
    {"failure-detector", "random", "random", 0},
    {"failure-detector", "greedy", "", 0},
    {"failure-detector", "PCT-3", "pct:depth=3", 16},
    {"failure-detector", "PCT-10", "pct:depth=10", 99},
    {"failure-detector", "PCT-30", "pct:depth=30", 99},
    {"failure-detector", "iterative delay-bounding", "delay", 38},
    {"raft-v1", "QL", "ql", 99},
    {"raft-v1", "random", "random", 100},
    {"raft-v1", "greedy", "", 91},
    {"raft-v1", "PCT-3", "pct:depth=3", 0},
    {"raft-v1", "PCT-10", "pct:depth=10", 9},
    {"raft-v1", "PCT-30", "pct:depth=30", 43},
    {"raft-v1", "iterative delay-bounding", "delay", 35},
    {"raft-v2", "QL", "ql", 98},
    {"raft-v2", "random", "random", 6},
    {"raft-v2", "greedy", "", 5},
    {"raft-v2", "PCT-3", "pct:depth=3", 0},
    {"raft-v2", "PCT-10", "pct:depth=10", 0},
    {"raft-v2", "PCT-30", "pct:depth=30", 1},
    {"raft-v2", "iterative delay-bounding", "delay", 1},
}};

/// Schedules per second with their `random`.
struct published_speed {
  std::string_view program;
  double schedules_per_second = 0;
};
inline constexpr std::array<published_speed, 3> published_speeds = {{
    {"failure-detector", 120},
    {"raft-v1", 145},
    {"raft-v2", 164},
}};

} // namespace troupe::bench
