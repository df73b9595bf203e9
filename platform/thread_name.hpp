// Names a thread for debuggers and process listings. Not installed.
#pragma once
#include <string>
#if defined(__linux__) || defined(__APPLE__)
#  include <pthread.h>
#endif

namespace troupe::platform {

/// Cuts the name to what the system takes; does nothing where threads have no names.
inline void name_this_thread(const std::string& name) noexcept {
#if defined(__linux__)
  char text[16] = {};
  name.copy(text, sizeof(text) - 1);
  pthread_setname_np(pthread_self(), text);
#elif defined(__APPLE__)
  pthread_setname_np(name.c_str());
#else
  (void)name;
#endif
}

} // namespace troupe::platform
