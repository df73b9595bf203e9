// Asks macOS about the process.
#include "tests/support/this_process.hpp"
#include <mach/mach.h>

namespace troupe::testing {

std::size_t thread_count() {
  thread_act_array_t threads = nullptr;
  mach_msg_type_number_t count = 0;
  if (task_threads(mach_task_self(), &threads, &count) != KERN_SUCCESS)
    return 0;
  for (mach_msg_type_number_t i = 0; i < count; ++i)
    mach_port_deallocate(mach_task_self(), threads[i]);
  vm_deallocate(mach_task_self(), reinterpret_cast<vm_address_t>(threads), count * sizeof *threads);
  return count;
}

std::size_t resident_bytes() {
  mach_task_basic_info info{};
  mach_msg_type_number_t size = MACH_TASK_BASIC_INFO_COUNT;
  if (task_info(mach_task_self(), MACH_TASK_BASIC_INFO, reinterpret_cast<task_info_t>(&info), &size) != KERN_SUCCESS)
    return 0;
  return info.resident_size;
}

} // namespace troupe::testing
