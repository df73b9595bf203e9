// Selectively uniform random walk: the orders of a few interesting arrivals become about equally likely.
#pragma once
#include "sim/profile.hpp"
#include "sim/racing_strategy.hpp"
#include <set>

namespace troupe {

/// SURW (Zhao, Wolff, Mathur, Roychoudhury: Selectively Uniform Concurrency Testing, ASPLOS 2025), in mailbox form.
/// Interesting are the arrivals at up to `places` random receivers that several participants send to. The participant
/// whose interesting arrival comes next is drawn by how many it still has to make, as measured beforehand; the others
/// are held back where they would come first, for some time: it may wait for one of them. Uniform over the orders of
/// these arrivals where the counts are exact and nothing waits for something held back; a heuristic otherwise. Every
/// schedule keeps a positive probability.
class surw_strategy final : public racing_strategy {
public:
  surw_strategy(std::uint64_t seed, std::uint64_t places, const std::shared_ptr<const schedule_profile>& known);

protected:
  void entered(const candidate&) override {}
  void left(const candidate& event) override { held_back_.erase(event.key); }
  void passed(const candidate& event, bool has_competed) override;
  std::size_t pick_event(const candidates& among) override;

private:
  bool is_interesting(const candidate& event) const {
    return event.kind == event_kind::arrival && places_.count(event.place) != 0;
  }
  void draw_intent(const candidates& among);

  std::set<std::uint64_t> places_;
  std::map<std::uint64_t, std::uint64_t> left_; // interesting arrivals to come, by participant
  std::uint64_t intent_ = 0;                    // 0: nobody's turn
  std::set<const void*> held_back_;
  std::uint64_t patience_ = 0; // picks until the intent is given up
};

} // namespace troupe
