// The main queue as its host sees it.
#include "platform/gcd_main_queue.hpp"
#include "platform/gcd_api.hpp"
#include "platform/gcd_waker.hpp"
#include "platform/thread_release.hpp"

// What CoreFoundation uses; libdispatch exports it without a header.
extern "C" void _dispatch_main_queue_callback_4CF(void*);

namespace troupe::platform {
namespace {
/// Its address is the key, and its value the mark, that the main queue is known by.
char mark;
} // namespace

void run_main_queue() {
  release_thread(); // The main thread neither ends nor comes back.
  dispatch_main();
}

int main_queue_handle() noexcept { return gcd_main_queue_handle(); }

void drain_main_queue() {
  // First: whatever is queued from now on makes the handle ready again.
  acknowledge_main_queue();
  _dispatch_main_queue_callback_4CF(nullptr);
}

void call_on_main_queue(void (*function)(void*), void* context) {
  dispatch_async_f(dispatch_get_main_queue(), context, function);
}

bool is_on_main_queue() noexcept {
  // After dispatch_main the queue has no thread of its own, so that a thread's id says nothing.
  static const bool is_marked = [] {
    dispatch_queue_set_specific(dispatch_get_main_queue(), &mark, &mark, nullptr);
    return true;
  }();
  return is_marked && dispatch_get_specific(&mark) == &mark;
}

} // namespace troupe::platform
