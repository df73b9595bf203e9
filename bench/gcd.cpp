// Troupe on GCD, against bare dispatch_async_f and against CAF's own scheduler.
#include "bench/on_dispatcher.hpp"
#include "platform/gcd_api.hpp"
#include "platform/gcd_dispatcher.hpp"
#include <array>
#include <atomic>
#include <thread>

namespace troupe::bench {
namespace {

std::unique_ptr<platform::dispatcher> on_gcd() { return platform::make_gcd_dispatcher({.width = threads}); }

/// Counts without making the threads meet at one place: GCD itself does not say when a global queue is empty.
class arrivals {
public:
  void arrive() noexcept {
    thread_local std::atomic<std::uint64_t>* mine = nullptr;
    if (!mine)
      mine = &counts_[next_.fetch_add(1) % counts_.size()].value;
    mine->store(mine->load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  void await(std::uint64_t count) const noexcept {
    const auto wanted = awaited_ + count;
    while (sum() < wanted)
      std::this_thread::sleep_for(std::chrono::microseconds{50});
    awaited_ = wanted;
  }

private:
  struct alignas(64) place {
    std::atomic<std::uint64_t> value = 0;
  };
  std::uint64_t sum() const noexcept {
    std::uint64_t all = 0;
    for (const auto& each : counts_)
      all += each.value.load(std::memory_order_acquire);
    return all;
  }
  std::array<place, 1024> counts_;
  std::atomic<std::size_t> next_ = 0;
  mutable std::uint64_t awaited_ = 0;
};
arrivals bare;

void bare_work(void* context) {
  little_work{context}();
  bare.arrive();
}

double bare_from_outside(std::uint64_t count) {
  return static_cast<double>(count) / seconds_of([&] {
           const auto queue = platform::global_queue(priority::normal);
           for (std::uint64_t i = 0; i < count; ++i)
             dispatch_async_f(queue, &bare, bare_work);
           bare.await(count);
         });
}

double bare_from_inside(std::uint64_t count) {
  return static_cast<double>(count) / seconds_of([&] {
           dispatch_async_f(platform::global_queue(priority::normal), &count, [](void* context) {
             const auto queue = platform::global_queue(priority::normal);
             for (std::uint64_t i = 0, left = *static_cast<std::uint64_t*>(context); i < left; ++i)
               dispatch_async_f(queue, &bare, bare_work);
           });
           bare.await(count);
         });
}

} // namespace

std::vector<comparison> gcd_comparisons(const workload& load) {
  std::vector<comparison> lines{
      {"GCD: tracked tasks, from outside", "gcd", "tasks", "bare dispatch_async_f",
       [load] { return tracked_from_outside(on_gcd, load.of(200'000)); },
       [load] { return bare_from_outside(load.of(200'000)); }, 0.8, 0.8},
      {"GCD: tracked tasks, from inside", "gcd", "tasks", "bare dispatch_async_f",
       [load] { return tracked_from_inside(on_gcd, load.of(200'000)); },
       [load] { return bare_from_inside(load.of(200'000)); }, 0.8, 0.8},
  };
  for (auto& each : hosted_actors(on_gcd, "GCD: ", "gcd", std::nullopt, load))
    lines.push_back(std::move(each));
  return lines;
}

} // namespace troupe::bench
