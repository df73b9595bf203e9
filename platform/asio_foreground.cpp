// The pump of the foreground lane.
#include "platform/asio_foreground.hpp"
#include <mutex>

namespace troupe::platform {
namespace {
constexpr unsigned runnables_per_turn = 64;
} // namespace

asio_foreground::asio_foreground(coalesced_handler::function quiet, void* quiet_context)
    : pump_{*context_, [](void* self) noexcept { static_cast<asio_foreground*>(self)->pump(); }, this},
      nudge_{*context_, [](void*) noexcept {}, nullptr}, quiet_{quiet}, quiet_context_{quiet_context} {}

bool asio_foreground::push(runnable& work, priority urgency) noexcept {
  {
    std::lock_guard guard{lock_};
    if (closed_)
      return false;
    queue_.push(work, urgency);
  }
  pump_.request();
  return true;
}

void asio_foreground::destroy_context() noexcept {
  guard_.reset();
  context_.reset();
}

void asio_foreground::push_dropped(runnable& work) noexcept {
  {
    std::lock_guard guard{lock_};
    dropped_.push(work);
  }
  pump_.request();
}

void asio_foreground::pump() noexcept {
  assert(is_main_thread());
  bool more = true;
  for (unsigned i = 0; i < runnables_per_turn && more; ++i)
    more = run_next();
  if (more) {
    pump_.request();
    return;
  }
  lock_.lock();
  const bool closed = closed_;
  lock_.unlock();
  if (closed)
    quiet_(quiet_context_);
}

bool asio_foreground::run_next() noexcept {
  runnable* work = nullptr;
  bool drop = true;
  {
    std::lock_guard guard{lock_};
    work = dropped_.pop();
    if (!work) {
      work = queue_.pop();
      drop = abandoned_;
    }
    if (!work)
      return false;
    depth_.store(depth_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  if (drop)
    work->drop();
  else
    work->run();
  depth_.store(depth_.load(std::memory_order_relaxed) - 1, std::memory_order_release);
  return true;
}

void asio_foreground::close() noexcept {
  std::lock_guard guard{lock_};
  closed_ = true;
}

bool asio_foreground::is_quiet() noexcept {
  std::lock_guard guard{lock_};
  return queue_.empty() && dropped_.empty() && depth_.load(std::memory_order_acquire) == 0;
}

void asio_foreground::abandon() noexcept {
  {
    std::lock_guard guard{lock_};
    abandoned_ = true;
  }
  if (is_main_thread())
    drop_queued();
  else
    pump_.request();
}

void asio_foreground::drop_queued() noexcept {
  for (;;) {
    runnable* work = nullptr;
    {
      std::lock_guard guard{lock_};
      work = dropped_.pop();
      if (!work)
        work = queue_.pop();
    }
    if (!work)
      return;
    work->drop();
  }
}

} // namespace troupe::platform
