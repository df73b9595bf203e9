// Waiting for another thread for a moment, without the kernel.
#pragma once

namespace troupe::platform {

/// Tells the processor that this is a loop that waits for memory to change: it leaves the shared cache line and, where
/// two threads share a core, that core to the other one for some tens of cycles.
inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

} // namespace troupe::platform
