// The background lane of the GCD dispatcher: queues of ours, emptied on GCD's threads. Not installed.
#pragma once
#include "platform/gcd_api.hpp"
#include "platform/worker_queues.hpp"
#include <memory>
#include <vector>

namespace troupe::platform {

/// Lets at most `width` drains run at once. A drain is a function on a global queue that runs runnables by weight, for
/// a turn of a millisecond or so; then it queues itself again behind what others have there, on the global queue of the
/// most urgent work that waits. Without work there is no drain, and no thread is kept.
///
/// Why not one dispatch_async_f per runnable? That allocates, cannot be taken back by `stop`, keeps no weights, and is
/// slower than a queue whose runnables link themselves.
///
/// Order: a drain goes on with what its runnables dispatched, oldest first; what is not of normal priority comes from
/// the shared queue by weight. A drain without work takes over half of another one's. What waits behind a runnable that
/// has kept its thread for milliseconds is found by the patrol, a timer that runs while there are drains.
class gcd_pool {
public:
  static constexpr std::size_t width_max = 64;

  /// @param owner What this is a part of; callbacks keep it alive.
  /// @param quiet Called, from a thread of GCD's, when everything has ended after `close`.
  gcd_pool(gcd_shared& owner, std::size_t width, void (*quiet)(void*) noexcept, void* quiet_context);
  ~gcd_pool();

  /// Any thread; never allocates. @returns false once closed: the work was not taken.
  bool push(runnable& work, priority urgency) noexcept;

  /// Whether the caller is inside of a runnable of this lane.
  bool is_worker_thread() const noexcept;

  /// Makes room for another drain: this thread, if it is inside of one, is about to block.
  void surrender() noexcept;

  /// From now on `push` refuses.
  void close() noexcept;

  /// Whether nothing is queued or running. Means something only once closed.
  bool is_quiet() const noexcept;

  /// Lets drains end after their current runnable; what is queued is dropped.
  void halt() noexcept;

  /// Waits for what runs. @pre `halt` was called
  void join() noexcept;

private:
  struct seat;

  void drain(seat& at) noexcept;
  runnable* next(seat& self) noexcept;
  runnable* fetch(seat& self) noexcept;
  runnable* steal(seat& self) noexcept;
  runnable* search(seat& self) noexcept;
  void push_ring(seat& self, runnable& work) noexcept;
  seat* take_free_seat() noexcept;
  void free_seat(seat& which) noexcept;
  void wake() noexcept;
  void request(seat& which) noexcept;
  void watch() noexcept;
  void patrol() noexcept;
  bool work_is_visible() const noexcept;
  void drop_queued() noexcept;

  gcd_shared& owner_;
  void (*quiet_)(void*) noexcept;
  void* quiet_context_;
  std::vector<std::unique_ptr<seat>> seats_;
  injector shared_;
  // All accesses are sequentially consistent: a producer publishes work and then reads these, a drain publishes that it
  // ends and then reads the queues, so one of them sees the other.
  alignas(cache_line) std::atomic<std::uint64_t> free_ = 0;    ///< A bit for each seat that no drain has.
  std::atomic<unsigned> starting_ = 0;                         ///< Drains that have not looked for work yet.
  std::atomic<bool> searching_ = false;                        ///< One of them looks for work at the moment.
  alignas(cache_line) std::atomic<std::uint64_t> entries_ = 0; ///< Drains inside, and how many ever were.
  std::atomic<bool> watched_ = false;                          ///< A patrol is due.
  std::atomic<bool> closed_ = false;
  std::atomic<bool> halted_ = false;
};

} // namespace troupe::platform
