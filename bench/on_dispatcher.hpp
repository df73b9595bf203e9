// What is measured alike on each dispatcher: tasks that a session tracks, and CAF actors on our host.
#pragma once
#include "bench/paired.hpp"
#include "platform/dispatcher.hpp"
#include <cstdint>
#include <memory>

namespace troupe::bench {

/// Of both sides of a comparison.
inline constexpr std::size_t threads = 2;

/// Work of the size of a captured pointer that the compiler cannot leave out.
struct little_work {
  const void* something;
  void operator()() const noexcept { asm volatile("" : : "r"(something) : "memory"); }
};

/// A fresh dispatcher that runs `threads` runnables at once.
using dispatcher_maker = std::unique_ptr<platform::dispatcher> (*)();

/// Tasks per second: `count` spawned in a session by the main thread, run, settled, and found complete by its close.
/// Ends the program if they were not: a measurement that went wrong must not pass for a number.
double tracked_from_outside(dispatcher_maker make, std::uint64_t count);

/// The same, spawned by a task.
double tracked_from_inside(dispatcher_maker make, std::uint64_t count);

/// Actor programs on our host, against the same on CAF's own work-stealing scheduler.
/// @param prefix of the names of the lines, which are a group of that name
std::vector<comparison> hosted_actors(dispatcher_maker make, const std::string& prefix, const std::string& group,
                                      std::optional<double> bar_goal, const workload& load);

} // namespace troupe::bench
