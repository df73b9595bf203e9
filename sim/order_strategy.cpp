// Repeating a recorded order of events, as far as it can be had.
#include "sim/order_strategy.hpp"
#include "sim/random_source.hpp"
#include <algorithm>

namespace troupe {
namespace {

/// How many events that are in no record may go by while the next recorded one is awaited: a program may have changed
/// so that it never comes, and an actor that was added need not come to rest.
constexpr std::uint64_t patience = 500;

std::uint64_t own_name(const candidate& event) {
  return mix(event.identity, static_cast<std::uint64_t>(event.kind)) | 1;
}

} // namespace

order_strategy::order_strategy(const event_record& order, std::optional<order_model> model, naming recorded,
                               naming current)
    : order_(order), model_(model), current_(current ? std::move(current) : own_name), is_dropped_(order.events.size()),
      is_done_(order.events.size()), is_given_up_(order.events.size()) {
  for (std::size_t i = 0; i < order.events.size(); ++i)
    places_[recorded ? recorded(order.events[i].what) : own_name(order.events[i].what)].insert(i);
  for (std::size_t i = 0; i < order.values.size(); ++i)
    values_[order.values[i].during].push_back(i);
}

void order_strategy::hold(std::uint64_t identity, event_name until) { holds_[identity] = until; }

void order_strategy::stand(const void* key, known_event& event, standing how) {
  event.how = how;
  event.rank = how == standing::expected ? event.place : arrived_++;
  queue(how).emplace(event.rank, key);
}

void order_strategy::enabled(const candidate& event) {
  known_event known;
  known.name = current_(event);
  if (auto places = places_.find(known.name); known.name != 0 && places != places_.end() && !places->second.empty()) {
    known.place = *places->second.begin();
    places->second.erase(places->second.begin());
  }
  const bool is_held = holds_.count(event.identity) != 0;
  if (is_held)
    held_[event.identity].push_back(event.key);
  auto& kept = events_[event.key] = known;
  stand(event.key, kept,
        is_held || (known.place != no_entry && is_dropped_[known.place]) ? standing::held
        : known.place != no_entry                                        ? standing::expected
                                                                         : standing::unknown);
}

std::optional<order_strategy::known_event> order_strategy::forget(const void* key) {
  auto found = events_.find(key);
  if (found == events_.end())
    return std::nullopt;
  auto known = found->second;
  queue(known.how).erase(known.rank);
  events_.erase(found);
  return known;
}

void order_strategy::withdrawn(const candidate& event) {
  if (auto known = forget(event.key); known && known->place != no_entry)
    places_[known->name].insert(known->place);
  if (auto held = held_.find(event.identity); held != held_.end())
    std::erase(held->second, event.key);
}

void order_strategy::release(std::uint64_t identity) {
  holds_.erase(identity);
  for (const auto* key : held_[identity])
    if (auto found = events_.find(key); found != events_.end() && found->second.how == standing::held) {
      auto& event = found->second;
      queue(standing::held).erase(event.rank);
      stand(key, event, event.place != no_entry ? standing::expected : standing::unknown);
    }
  held_.erase(identity);
}

void order_strategy::happened(const candidate& event) {
  const auto known = forget(event.key);
  during_ = 0;
  present_ = event.identity;
  if (known && known->place != no_entry) {
    is_done_[known->place] = true;
    during_ = order_.events[known->place].what.identity;
    in_gap_ = 0;
  } else {
    ++unknown_;
    ++in_gap_;
  }
  if (holds_.count(event.identity) != 0)
    has_broken_ = true;
  std::vector<std::uint64_t> released;
  for (const auto& [identity, until] : holds_)
    if (until == event_name{event.identity, event.kind})
      released.push_back(identity);
  std::sort(released.begin(), released.end());
  for (auto identity : released)
    release(identity);
}

bool order_strategy::is_next_enabled() {
  // A hold may end, and what it held back is due then.
  while (next_ < is_done_.size() && (is_done_[next_] || is_dropped_[next_]))
    ++next_;
  auto next = next_;
  const auto is_passed = [this](std::size_t i) {
    return is_done_[i] || is_dropped_[i] || is_given_up_[i] || holds_.count(order_.events[i].what.identity) != 0;
  };
  while (next < is_done_.size() && is_passed(next))
    ++next;
  if (in_gap_ >= patience && next < is_done_.size()) {
    // It may still come, and has its turn at once then.
    is_given_up_[next] = true;
    in_gap_ = 0;
  }
  const auto& expected = queue(standing::expected);
  return !expected.empty() && expected.begin()->first <= next;
}

std::size_t order_strategy::pick(decision_kind kind, const candidates& among) {
  if (kind != decision_kind::event)
    return pick_value(kind, among);
  const auto& expected = queue(standing::expected);
  const auto& unknown = queue(standing::unknown);
  const auto& held = queue(standing::held);
  if (!expected.empty() && (unknown.empty() || is_next_enabled()))
    return among.index_of(expected.begin()->second);
  if (!unknown.empty())
    return among.index_of(unknown.begin()->second);
  return held.empty() ? 0 : among.index_of(held.begin()->second);
}

std::size_t order_strategy::pick_value(decision_kind kind, const candidates& among) {
  const auto at = drawn_++;
  auto fits = [&](std::size_t i) {
    return i < order_.values.size() && order_.values[i].kind == kind && order_.values[i].count == among.size();
  };
  // By the name of the event that asks, whatever its identity is now.
  const auto first = among[0].parent == present_ ? 0 : among[0].parent;
  for (auto asking : {first, during_})
    if (auto here = values_.find(asking); asking != 0 && here != values_.end() && !here->second.empty()) {
      const auto value = here->second.front();
      here->second.pop_front();
      if (fits(value))
        return order_.values[value].index;
    }
  return fits(at) ? order_.values[at].index : 0;
}

std::vector<std::size_t> order_strategy::missing() const {
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < is_done_.size(); ++i)
    if (!is_done_[i])
      result.push_back(i);
  return result;
}

} // namespace troupe
