// What the operating system knows of the process that a test runs in; one file for each system.
#pragma once
#include <cstddef>

namespace troupe::testing {

/// Threads that the process has now. macOS and Windows may count one that was joined for another moment.
std::size_t thread_count();
/// Whether the process comes to have `count` threads, at once or within 5 s.
bool thread_count_becomes(std::size_t count);
/// Bytes of the process that are in memory now.
std::size_t resident_bytes();

/// What Asio adds to a dispatcher's threads: on Windows one that waits for its timers.
#ifdef _WIN32
inline constexpr std::size_t asio_timer_threads = 1;
#else
inline constexpr std::size_t asio_timer_threads = 0;
#endif

} // namespace troupe::testing
