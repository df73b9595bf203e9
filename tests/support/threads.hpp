// Whether tests may start threads and processes.
#pragma once

namespace troupe::testing {

#ifdef __EMSCRIPTEN__
inline constexpr bool has_threads = false;
#else
inline constexpr bool has_threads = true;
#endif

} // namespace troupe::testing
