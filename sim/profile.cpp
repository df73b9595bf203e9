// What strategies want to know of a program beforehand: how long its schedules are, and where its races may be.
#include "sim/profile.hpp"
#include "sim/racing_strategy.hpp"
#include <algorithm>

namespace troupe {
namespace {

using arrivals = std::map<std::uint64_t, std::map<std::uint64_t, std::uint64_t>>;

class profiler final : public racing_strategy {
public:
  profiler(std::uint64_t seed, std::shared_ptr<const schedule_profile> known) noexcept
      : racing_strategy(seed, 0x70726f66696c65, std::move(known)) {
    fair_from_ = ~std::uint64_t{0};
  }

  using racing_strategy::picks;
  std::uint64_t decisions = 0, events = 0;
  arrivals seen;

protected:
  void entered(const candidate&) override { ++events; }
  void left(const candidate&) override {}
  void passed(const candidate& event, bool) override {
    if (event.kind == event_kind::arrival)
      ++seen[event.place][event.actor];
  }
  std::size_t pick_event(const candidates& among) override {
    ++decisions;
    return pick_any(among);
  }
};

} // namespace

std::shared_ptr<const schedule_profile> measure_profile(const runner& run, unsigned runs) {
  auto result = std::make_shared<schedule_profile>();
  arrivals sums;
  for (unsigned i = 0; i < runs; ++i) {
    profiler order{i, result}; // each knows more of the races than the one before
    run(i, order, false);
    result->picks = std::max(result->picks, order.picks());
    result->decisions = std::max(result->decisions, order.decisions);
    result->events = std::max(result->events, order.events);
    for (auto& [place, senders] : order.seen)
      for (auto& [sender, count] : senders)
        sums[place][sender] += count;
    for (auto& [place, senders] : sums)
      if (senders.size() >= 2)
        for (auto& [sender, sum] : senders)
          result->contested[place][sender] = (sum + i) / (i + 1);
  }
  return result;
}

} // namespace troupe
