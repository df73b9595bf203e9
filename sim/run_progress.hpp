// What a process that runs the program under test tells the one that watches it: that it goes on, what it is about, and
// what has been decided.
#pragma once
#include "sim/decision.hpp"
#include "sim/simulation_options.hpp"
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace troupe {

/// Lies in memory that two processes share. The process that runs writes it; the other one reads it, also after the
/// first one has ended.
struct run_progress {
  std::atomic<std::uint64_t> events = 0; ///< Of all runs so far: grows as long as the program goes on.
  std::atomic<std::uint64_t> number = 0; ///< Of the present event in its run, from 1; 0: none has happened yet.
  std::atomic<std::uint64_t> place = 0;  ///< Identity of where it happens; 0: it is the test itself that runs.
  std::atomic<bool> is_running = false;  ///< A run is going on. What is done between runs may take its time.
  std::atomic<bool> is_done = false;     ///< The process has done what it had to do, and may end.
  char event[256] = {};                  ///< The present event in words, if the run keeps a trace.

  // -- the tape of the present run, so far --
  std::atomic<std::uint64_t> seed = 0;
  std::atomic<order_model> model = order_model::local;
  std::atomic<std::uint64_t> decided = 0; ///< How many; those beyond `decisions_max` are not kept.
  decision* decisions = nullptr;          ///< In the same memory, room for `decisions_max`.
  static constexpr std::uint64_t decisions_max = std::uint64_t{1} << 20;

  void begin_tape(std::uint64_t of_seed, order_model in_model) noexcept {
    decided.store(0, std::memory_order_relaxed);
    seed.store(of_seed, std::memory_order_relaxed);
    model.store(in_model, std::memory_order_relaxed);
  }
  void decide(const decision& made) noexcept {
    const auto count = decided.load(std::memory_order_relaxed);
    if (count < decisions_max)
      decisions[count] = made;
    decided.store(count + 1, std::memory_order_release);
  }

  void begin_run() noexcept {
    events.fetch_add(1, std::memory_order_relaxed);
    number.store(0, std::memory_order_relaxed);
    end_event();
    is_running.store(true, std::memory_order_relaxed);
  }
  void end_run() noexcept { is_running.store(false, std::memory_order_relaxed); }
  void begin_event(std::uint64_t where, std::uint64_t which) noexcept {
    event[0] = '\0';
    number.store(which, std::memory_order_relaxed);
    place.store(where, std::memory_order_relaxed);
    events.fetch_add(1, std::memory_order_relaxed);
  }
  void describe_event(std::string_view text) noexcept {
    const auto size = std::min(text.size(), sizeof event - 1);
    std::memcpy(event, text.data(), size);
    event[size] = '\0';
  }
  void end_event() noexcept { place.store(0, std::memory_order_relaxed); }

  /// Where the runs of this process tell it; null if nobody watches.
  static inline run_progress* watched = nullptr;
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<order_model>::is_always_lock_free);

} // namespace troupe
