// Waiting on Linux, where the main queue's handle is an eventfd.
#include "platform/gcd_waker.hpp"
#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

// What CoreFoundation uses; libdispatch exports it without a header.
extern "C" int _dispatch_get_main_queue_handle_4CF(void);

namespace troupe::platform {

bool is_process_main_thread() noexcept { return ::gettid() == ::getpid(); }

int gcd_main_queue_handle() noexcept { return _dispatch_get_main_queue_handle_4CF(); }

void acknowledge_main_queue() noexcept {
  eventfd_t count = 0;
  static_cast<void>(::eventfd_read(gcd_main_queue_handle(), &count)); // It does not block.
}

gcd_waker::gcd_waker() : handle_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
  if (handle_ < 0)
    throw std::system_error{errno, std::generic_category(), "no event descriptor for the main thread"};
}

gcd_waker::~gcd_waker() { ::close(handle_); }

void gcd_waker::wake() noexcept { static_cast<void>(::eventfd_write(handle_, 1)); }

void gcd_waker::wait(std::optional<time_point> deadline, bool watches_main_queue) noexcept {
  pollfd watched[2] = {{handle_, POLLIN, 0}, {-1, POLLIN, 0}};
  if (watches_main_queue)
    watched[1].fd = gcd_main_queue_handle();
  timespec left{};
  if (deadline) {
    // Long waits in pieces: far deadlines do not fit.
    const auto wait = std::clamp<duration>(*deadline - clock::now(), duration::zero(), std::chrono::hours{1});
    const auto seconds = std::chrono::floor<std::chrono::seconds>(wait);
    left.tv_sec = static_cast<time_t>(seconds.count());
    left.tv_nsec = static_cast<long>(std::chrono::nanoseconds{wait - seconds}.count());
  }
  ::ppoll(watched, 2, deadline ? &left : nullptr, nullptr);
  if (watched[0].revents != 0) {
    eventfd_t count = 0;
    static_cast<void>(::eventfd_read(handle_, &count));
  }
  if (watched[1].revents != 0)
    acknowledge_main_queue();
}

} // namespace troupe::platform
