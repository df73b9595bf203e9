// Memory for tasks, which one thread allocates and another one frees by the million. Not for other uses.
#pragma once
#include <cstddef>

namespace troupe::detail {

/// Uninitialised memory, aligned as by operator new. Blocks go round in batches: from those who settle tasks back to
/// those who spawn them, without a lock for most. Up to `kept_max` bytes of each size are kept for reuse, the rest goes
/// back to operator delete. Any thread. @throws std::bad_alloc
void* allocate_task(std::size_t size);

/// @param size What it was allocated with.
void free_task(void* block, std::size_t size) noexcept;

inline constexpr std::size_t kept_max = std::size_t{16} << 20;

} // namespace troupe::detail
