// Counts what the test program allocates.
#pragma once
#include <cstddef>

namespace troupe::test {

/// Calls of the global operator new so far, from all threads.
std::size_t allocation_count() noexcept;

} // namespace troupe::test
