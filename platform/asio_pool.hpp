// The worker threads of the Asio dispatcher's background lane. Not installed.
#pragma once
#include "platform/asio_handler.hpp"
#include "platform/worker_queues.hpp"
#include <memory>
#include <thread>
#include <vector>

namespace troupe::platform {

/// Threads that run runnables from queues of their own, and the handlers of an io_context while they are idle (every
/// hundred microseconds or so while they are not). Must outlive the io_context.
///
/// Order: a worker runs next what its current runnable dispatched last, then its ring, oldest first; what is not of
/// normal priority comes from the shared queue by weight. Work moves to another worker when that one finds nothing
/// else; what a blocked worker has set aside is found by the sentry, an idle worker that looks every millisecond.
class asio_pool {
public:
  /// @param quiet Called, from any thread, when everything has ended after `close`.
  asio_pool(boost::asio::io_context& context, std::size_t thread_count, coalesced_handler::function quiet,
            void* quiet_context);
  ~asio_pool();

  /// Starts the threads. @throws std::system_error
  void start();

  /// Any thread; never allocates. @returns false once closed: the work was not taken.
  bool push(runnable& work, priority urgency) noexcept;

  /// Whether the caller is one of the workers.
  bool is_worker_thread() const noexcept;

  /// Leaves to the other workers what this thread, if it is a worker, has set aside: it is about to block.
  void surrender() noexcept;

  /// From now on `push` refuses.
  void close() noexcept;

  /// Whether nothing is queued or running. Means something only once closed.
  bool is_quiet() const noexcept;

  /// Lets the threads end after their current runnable; what is queued is dropped.
  void halt() noexcept;

  /// Waits for the threads. @pre `halt` was called
  void join() noexcept;

  std::size_t thread_count() const noexcept { return workers_.size(); }

private:
  struct worker;

  void run(worker& self) noexcept;
  runnable* next(worker& self) noexcept;
  runnable* next_shared(worker& self, std::uint64_t tick, std::uint32_t mask) noexcept;
  runnable* next_local(worker& self) noexcept;
  runnable* fetch(worker& self) noexcept;
  runnable* search(worker& self) noexcept;
  runnable* steal(worker& self) noexcept;
  runnable* wait(worker& self) noexcept;
  bool become_sentry() noexcept;
  runnable* patrol(worker& self) noexcept;
  void push_ring(worker& self, runnable& work) noexcept;
  void poll(worker& self, std::uint64_t tick) noexcept;
  void poll_context() noexcept;
  void wake_if_idle(bool only_for_slots, bool self_is_parked) noexcept;
  void pass_on_wake() noexcept;
  bool work_is_visible() const noexcept;
  bool slot_is_visible() const noexcept;
  void drop_queued() noexcept;

  static thread_local worker* current_; ///< Of the calling thread, whichever pool it belongs to.

  boost::asio::io_context& context_;
  coalesced_handler wake_;
  coalesced_handler::function quiet_;
  void* quiet_context_;
  std::vector<std::unique_ptr<worker>> workers_;
  injector shared_;
  /// How many workers are idle, search and are the sentry, and how often one has ceased to be idle.
  alignas(cache_line) std::atomic<std::uint64_t> state_ = 0;
  alignas(cache_line) std::atomic<bool> closed_ = false;
  std::atomic<bool> halted_ = false;
};

} // namespace troupe::platform
