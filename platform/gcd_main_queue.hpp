// For the host of a GCD dispatcher: running the main queue without naming GCD.
#pragma once

namespace troupe::platform {

/// Runs the main queue for ever: `dispatch_main`. To be called on the main thread, which is lost to the program then:
/// what is queued there, the foreground lane included, runs one at a time on threads of GCD's. End the program by
/// `std::exit` or the like from there.
[[noreturn]] void run_main_queue();

/// For a host with a run loop of its own: what that loop has to watch, and to answer with `drain_main_queue`. On Linux
/// a file descriptor for `poll` or `epoll`, readable when something is queued; on Apple systems the name of a Mach
/// port. It belongs to GCD: do not read, write or close it. Any thread.
int main_queue_handle() noexcept;

/// Runs what is queued on the main queue now, and returns; what gets queued meanwhile makes the handle ready again.
/// Called from inside of the main queue it does nothing.
/// @pre the caller is on the main thread, and `run_main_queue` was never called: GCD ends the program otherwise
void drain_main_queue();

/// Queues a call for the main queue, like any other code of the host. What it throws ends the program, unless the queue
/// is run by `drain_main_queue`. Any thread.
void call_on_main_queue(void (*function)(void*), void* context);

/// Whether the caller is on the main queue: on the main thread, or, after `run_main_queue`, on the thread that runs the
/// queue at the moment.
bool is_on_main_queue() noexcept;

} // namespace troupe::platform
