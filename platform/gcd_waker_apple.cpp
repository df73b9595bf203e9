// Waiting on Apple systems, where the main queue's handle is a Mach port. It compiles; nobody has run it yet.
#include "platform/gcd_waker.hpp"
#include <algorithm>
#include <mach/mach.h>
#include <pthread.h>

// What CoreFoundation uses; libdispatch exports it without a header.
extern "C" mach_port_t _dispatch_get_main_queue_port_4CF(void);

namespace troupe::platform {
namespace {

void check(kern_return_t result) {
  if (result != KERN_SUCCESS)
    throw std::system_error{result, std::system_category(), "no Mach port for the main thread"};
}

/// Takes one message off a port or a port set, if there is one within that many milliseconds.
bool receive(mach_port_t from, mach_msg_timeout_t timeout_ms, bool for_ever) noexcept {
  struct {
    mach_msg_header_t header;
    char rest[512]; // Whatever GCD says: only that it says something matters.
  } message{};
  const mach_msg_option_t options = MACH_RCV_MSG | MACH_RCV_LARGE | (for_ever ? 0 : MACH_RCV_TIMEOUT);
  return mach_msg(&message.header, options, 0, sizeof message, from, timeout_ms, MACH_PORT_NULL) == MACH_MSG_SUCCESS;
}

} // namespace

bool is_process_main_thread() noexcept { return pthread_main_np() == 1; }

int gcd_main_queue_handle() noexcept { return static_cast<int>(_dispatch_get_main_queue_port_4CF()); }

void acknowledge_main_queue() noexcept { static_cast<void>(receive(_dispatch_get_main_queue_port_4CF(), 0, false)); }

gcd_waker::gcd_waker() : handle_{0} {
  mach_port_t port = MACH_PORT_NULL;
  check(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port));
  check(mach_port_insert_right(mach_task_self(), port, port, MACH_MSG_TYPE_MAKE_SEND));
  handle_ = static_cast<int>(port);
}

gcd_waker::~gcd_waker() {
  const auto port = static_cast<mach_port_t>(handle_);
  mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_SEND, -1);
  mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_RECEIVE, -1);
}

void gcd_waker::wake() noexcept {
  mach_msg_header_t message{};
  message.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
  message.msgh_size = sizeof message;
  message.msgh_remote_port = static_cast<mach_port_t>(handle_);
  // A full port holds a sign already.
  static_cast<void>(
      mach_msg(&message, MACH_SEND_MSG | MACH_SEND_TIMEOUT, sizeof message, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL));
}

void gcd_waker::wait(std::optional<time_point> deadline, bool watches_main_queue) noexcept {
  const auto own = static_cast<mach_port_t>(handle_);
  mach_msg_timeout_t left_ms = 0;
  if (deadline) {
    // Long waits in pieces: far deadlines do not fit.
    const auto wait = std::clamp<duration>(*deadline - clock::now(), duration::zero(), std::chrono::hours{1});
    left_ms = static_cast<mach_msg_timeout_t>(std::chrono::ceil<std::chrono::milliseconds>(wait).count());
  }
  mach_port_t set = MACH_PORT_NULL;
  if (watches_main_queue && mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET, &set) == KERN_SUCCESS) {
    mach_port_insert_member(mach_task_self(), own, set);
    mach_port_insert_member(mach_task_self(), _dispatch_get_main_queue_port_4CF(), set);
  }
  receive(set != MACH_PORT_NULL ? set : own, left_ms, !deadline);
  if (set != MACH_PORT_NULL) {
    mach_port_extract_member(mach_task_self(), own, set);
    mach_port_extract_member(mach_task_self(), _dispatch_get_main_queue_port_4CF(), set);
    mach_port_mod_refs(mach_task_self(), set, MACH_PORT_RIGHT_PORT_SET, -1);
  }
}

} // namespace troupe::platform
