// What strategies want to know of a program beforehand: how long its schedules are, and where its races may be.
#include "sim/profile.hpp"
#include "sim/watching_strategy.hpp"

namespace troupe {
namespace {

using arrivals = std::map<std::uint64_t, std::map<std::uint64_t, std::uint64_t>>;

class profiler final : public watching_strategy {
public:
  explicit profiler(std::uint64_t seed) noexcept : watching_strategy(seed, 0x70726f66696c65) {}
  void happened(const candidate& event) override {
    ++events;
    if (event.kind == event_kind::arrival)
      ++seen[event.place][event.actor];
  }

  std::uint64_t decisions = 0, events = 0;
  arrivals seen;

protected:
  std::size_t pick_event(const candidates& among) override {
    ++decisions;
    return pick_any(among);
  }
};

} // namespace

schedule_profile measure_profile(const runner& run, unsigned runs) {
  schedule_profile result;
  arrivals sums;
  for (unsigned i = 0; i < runs; ++i) {
    profiler order{i};
    run(i, order, false);
    result.decisions = std::max(result.decisions, order.decisions);
    result.events = std::max(result.events, order.events);
    for (auto& [place, senders] : order.seen)
      for (auto& [sender, count] : senders)
        sums[place][sender] += count;
  }
  for (auto& [place, senders] : sums)
    if (senders.size() >= 2)
      for (auto& [sender, sum] : senders)
        result.contested[place][sender] = (sum + runs - 1) / runs;
  return result;
}

} // namespace troupe
