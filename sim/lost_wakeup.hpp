// Lost wakeups: who waits for ever, and the signal that came before it waited.
#pragma once
#include "sim/racing_pair.hpp"
#include <string>

namespace troupe {

/// Looks for a lost wakeup in the failing run `failing`, which is a deadlock or has a hot monitor. That is: a
/// participant (the waiter) does nothing any more after it has told another one (the receiver) something, but for what
/// follows from that; before that message, and independently of it, the receiver had got a signal of somebody else,
/// which caused nothing at the waiter. And if the waiter's message comes first, everything else in its recorded order,
/// the signal does reach the waiter, and the run passes. The receiver may be the waiter itself: then the signal had
/// caused nothing at all. Nothing is named that was not run. @returns one line that says so, with the numbers of the
/// events as in the trace; empty if nothing was found. @pre `failing` has its trace
std::string find_lost_wakeup(const runner& run, std::uint64_t seed, const recorded_run& failing,
                             const race_options& options = {.max_runs = 60, .max_steps = 200'000});

} // namespace troupe
