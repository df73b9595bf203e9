// PCT over chains of causally ordered events instead of participants.
#include "sim/pctcp_strategy.hpp"

namespace troupe {
namespace {

void merge(std::vector<std::uint32_t>& into, const std::vector<std::uint32_t>& other) {
  if (into.size() < other.size())
    into.resize(other.size());
  for (std::size_t i = 0; i < other.size(); ++i)
    into[i] = std::max(into[i], other[i]);
}

} // namespace

pctcp_strategy::pctcp_strategy(std::uint64_t seed, std::uint64_t depth, std::shared_ptr<const schedule_profile> known)
    : racing_strategy(seed, 0x7063746370, known), changes_(random_changes(random_, depth - 1, known->events)) {}

pctcp_strategy::past pctcp_strategy::before(const candidate& event) const {
  past result;
  // A message is handled after it has arrived, and caused by what sent it; whoever acts does so in order.
  for (auto identity : {event.kind == event_kind::handle ? event.identity : event.parent})
    if (auto known = of_event_.find(identity); known != of_event_.end())
      merge(result, known->second);
  if (auto known = of_actor_.find(event.actor); known != of_actor_.end())
    merge(result, known->second);
  return result;
}

std::size_t pctcp_strategy::new_chain() {
  chains_.push_back({static_cast<std::int64_t>(random_() >> 2), 0});
  return chains_.size() - 1;
}

std::size_t pctcp_strategy::chain_for(const past& before) {
  const auto fits = [&](std::size_t c) { return c < before.size() && before[c] == chains_[c].length; };
  for (std::size_t i = 0;; ++i) {
    if (i == groups_.size())
      groups_.emplace_back();
    auto& group = groups_[i];
    auto at = std::find_if(group.begin(), group.end(), fits);
    if (at != group.end()) {
      auto found = *at;
      if (i > 0) {
        group.erase(at);
        std::swap(groups_[i - 1], group);
        group.push_back(found);
      }
      return found;
    }
    if (group.size() < i + 1) {
      group.push_back(new_chain());
      return group.back();
    }
  }
}

void pctcp_strategy::entered(const candidate& event) {
  waiting entry{0, ++events_, before(event)};
  entry.chain = chain_for(entry.before);
  auto& chosen = chains_[entry.chain];
  if (entry.before.size() <= entry.chain)
    entry.before.resize(entry.chain + 1);
  entry.before[entry.chain] = ++chosen.length;
  turns_.emplace(chosen.priority, entry.number, event.key);
  enabled_[event.key] = std::move(entry);
}

void pctcp_strategy::left(const candidate& event) {
  auto known = enabled_.find(event.key);
  turns_.erase({chains_[known->second.chain].priority, known->second.number, event.key});
  present_ = std::move(known->second.before);
  enabled_.erase(known);
}

void pctcp_strategy::passed(const candidate& event, bool has_competed) {
  if (!has_competed)
    present_ = before(event);
  merge(of_actor_[event.actor], present_);
  of_event_[event.identity] = std::move(present_);
}

std::size_t pctcp_strategy::pick_event(const candidates& among) {
  for (;;) {
    auto [priority, number, key] = *std::prev(turns_.end());
    auto& entry = enabled_[key];
    auto change = changes_.find(number);
    if (change == changes_.end())
      return among.index_of(key);
    turns_.erase({priority, number, key});
    chains_[entry.chain].priority = change->second;
    turns_.emplace(change->second, number, key);
    changes_.erase(change);
  }
}

} // namespace troupe
