// What strategies want to know of a program beforehand: how long its schedules are, and where its races may be.
#include "sim/profile.hpp"
#include "sim/speeds_strategy.hpp"
#include "sim/watched_process.hpp"
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace troupe {
namespace {

using arrivals = std::map<std::uint64_t, std::map<std::uint64_t, std::uint64_t>>;

class profiler final : public speeds_strategy {
public:
  profiler(std::uint64_t seed, std::shared_ptr<const schedule_profile> known) noexcept
      : speeds_strategy(mix(seed, 0x70726f66696c65), std::move(known)) {
    fair_from_ = ~std::uint64_t{0};
    if (seed % 2 == 0)
      walk_evenly();
  }

  using racing_strategy::picks;
  std::uint64_t decisions = 0, events = 0;
  arrivals seen;

protected:
  void entered(const candidate&) override { ++events; }
  void passed(const candidate& event, bool) override {
    if (event.kind == event_kind::arrival)
      ++seen[event.place][event.actor];
  }
  std::size_t pick_event(const candidates& among) override {
    ++decisions;
    return speeds_strategy::pick_event(among);
  }
};

constexpr unsigned first_runs = 5, most_runs = 60;
constexpr std::uint64_t seeds_per_run = 50;

/// What one schedule has shown, as numbers.
using findings = std::vector<std::uint64_t>;

std::string to_bytes(const findings& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(findings::value_type)};
}

findings from_bytes(const std::string& bytes) {
  findings numbers(bytes.size() / sizeof(findings::value_type));
  std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(findings::value_type));
  return numbers;
}

} // namespace

struct profile_source::state {
  explicit state(runner of) : run(std::move(of)) {}

  void measure() {
    const auto number = known.size();
    auto next = std::make_shared<schedule_profile>();
    if (number > 0)
      *next = *known.back(); // each knows more of the races than the one before
    const auto seen = call_apart([&] {
      profiler order{number, next};
      run(number, order, false);
      findings numbers{order.picks(), order.decisions, order.events};
      for (auto& [place, senders] : order.seen)
        for (auto& [sender, count] : senders)
          numbers.insert(numbers.end(), {place, sender, count});
      return to_bytes(numbers);
    });
    if (seen) {
      const auto numbers = from_bytes(*seen);
      ++counted;
      next->picks = std::max(next->picks, numbers[0]);
      next->decisions = std::max(next->decisions, numbers[1]);
      next->events = std::max(next->events, numbers[2]);
      for (std::size_t i = 3; i < numbers.size(); i += 3)
        sums[numbers[i]][numbers[i + 1]] += numbers[i + 2];
      for (auto& [place, senders] : sums)
        if (senders.size() >= 2)
          for (auto& [sender, sum] : senders)
            next->contested[place][sender] = (sum + counted - 1) / counted;
    }
    known.push_back(std::move(next));
  }

  runner run;
  arrivals sums;
  std::uint64_t counted = 0;
  std::vector<std::shared_ptr<const schedule_profile>> known; // after each run
};

profile_source::profile_source(runner run) : state_(std::make_unique<state>(std::move(run))) {}
profile_source::~profile_source() = default;

std::shared_ptr<const schedule_profile> profile_source::get(std::uint64_t seed) {
  const auto runs = std::min<std::uint64_t>(first_runs + seed / seeds_per_run, most_runs);
  while (state_->known.size() < runs)
    state_->measure();
  return state_->known[static_cast<std::size_t>(runs - 1)];
}

} // namespace troupe
