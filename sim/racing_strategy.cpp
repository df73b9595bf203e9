// What strategies that sample races have in common: what competes with nothing does not wait for its turn.
#include "sim/racing_strategy.hpp"
#include "sim/simulation_options.hpp"
#include <algorithm>

namespace troupe {
namespace {
constexpr std::uint64_t many = ~std::uint64_t{0};
} // namespace

void racing_strategy::begins(order_model model) { has_arrivals_ = model != order_model::atomic; }

bool racing_strategy::is_shared(const candidate& arrival) {
  auto [known, is_new] = sender_.try_emplace(arrival.place, arrival.actor);
  if (is_new ? known_->contested.count(arrival.place) != 0 : known->second != many && known->second != arrival.actor)
    known->second = many;
  return known->second == many;
}

bool racing_strategy::is_plain(const candidate& event) {
  if (!has_arrivals_ || event.shares_memory)
    return false;
  switch (event.kind) {
  case event_kind::arrival:
    return !is_shared(event);
  case event_kind::handle:
  case event_kind::start:
    return true;
  default:
    return false;
  }
}

bool racing_strategy::take(const void* key) {
  if (plain_.empty())
    return false;
  if (plain_.front() == key) {
    plain_.pop_front();
    return true;
  }
  auto at = std::find(plain_.begin(), plain_.end(), key);
  if (at == plain_.end())
    return false;
  plain_.erase(at);
  return true;
}

void racing_strategy::enabled(const candidate& event) {
  if (is_plain(event) && !random_.chance(1, lazy_one_in))
    plain_.push_back(event.key);
  else
    entered(event);
}

void racing_strategy::withdrawn(const candidate& event) {
  if (!take(event.key))
    left(event);
}

void racing_strategy::happened(const candidate& event) {
  const bool was_plain = take(event.key);
  if (!was_plain)
    left(event);
  passed(event, !was_plain);
}

std::size_t racing_strategy::pick(decision_kind kind, const candidates& among) {
  if (kind == decision_kind::fault)
    return 0;
  if (kind != decision_kind::event)
    return values_.pick(random_, among.size());
  if (++picks_ > fair_from_)
    return pick_any(among);
  if (!plain_.empty())
    return among.index_of(plain_.front());
  return pick_event(among);
}

} // namespace troupe
