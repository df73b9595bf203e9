// Asking for memory ahead of its use.
#pragma once

namespace troupe::platform {

/// Has the cache line of `address` brought closer, if the compiler knows how. Any address will do, also one that is not
/// valid.
inline void prefetch(const void* address) noexcept {
#if defined(__GNUC__)
  __builtin_prefetch(address);
#else
  static_cast<void>(address);
#endif
}

} // namespace troupe::platform
