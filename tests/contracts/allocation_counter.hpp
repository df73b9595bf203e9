// Counts what the test program allocates.
#pragma once
#include <cstddef>

namespace troupe::test {

/// Calls of the global operator new so far, from all threads; with glibc and no sanitizer those of aligned_alloc too.
std::size_t allocation_count() noexcept;

} // namespace troupe::test
