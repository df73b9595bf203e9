// Along the path, then with whatever is not asleep, writing down what happens.
#include "sim/dpor_walker.hpp"
#include "actors/caf_compat.hpp"
#include "sim/run_result.hpp"

namespace troupe {
namespace {
/// The resource of everything that may interact without messages.
constexpr std::uint64_t shared_memory = 0x6d656d6f7279ull;
/// The resource that every event sees.
constexpr std::uint64_t everything = 0x616c6cull;
} // namespace

void dpor_search::walker::enabled(const candidate& event) {
  auto number = ++last_;
  numbers_[event.key] = number;
  enabled_.emplace(number, std::pair(event.key, as_step(event)));
  if (is_eager(event))
    handles_.emplace(number, event.key);
}

void dpor_search::walker::withdrawn(const candidate& event) {
  auto number = numbers_[event.key];
  numbers_.erase(event.key);
  enabled_.erase(number);
  handles_.erase(number);
}

void dpor_search::walker::happened(const candidate& event) {
  if (event.kind == event_kind::arrival)
    entered(event.place, event.is_urgent, event.after);
  if (is_eager(event)) {
    handled(event);
    // Its effects come after all that was handled here before, and after the start of the actor.
    auto arrived = occurrences_.find(event.identity);
    auto& here = handled_[event.place];
    if (arrived != occurrences_.end())
      here.last = std::max(here.last, arrived->second + 1);
    causes_[event.identity] = here;
  } else if (!is_lost_) {
    auto id = enabled_[numbers_[event.key]].second.id;
    if (depth_ == search_.path_.size())
      begin_frame();
    if (!is_lost_) {
      auto& now = search_.path_[depth_];
      if (now.is_value || now.current.id != id)
        lose();
      else
        note(now, event);
    }
  }
  happened_.push_back(search_.run_.size());
  withdrawn(event);
}

void dpor_search::walker::delivered(std::uint64_t place, std::uint64_t message, bool is_urgent) {
  if (!happens())
    return;
  entered(place, is_urgent, 0);
  touch(search_.path_[present_], resource(place, entrance_of(is_urgent)));
  occurrences_[message] = search_.run_.size() - 1;
}

void dpor_search::walker::touched(std::uint64_t place) {
  if (happens())
    for (auto which : {part::entrance, part::inside, part::front})
      touch(search_.path_[present_], resource(place, which));
}

void dpor_search::walker::missed(std::uint64_t place) {
  if (!happens())
    return;
  // Only that the receiver is gone matters, not what else is lost there.
  auto& now = search_.path_[present_].current;
  now.seen.push_back(resource(place, part::entrance));
  for (auto which : {part::entrance, part::front})
    std::erase(now.resources, resource(place, which));
}

void dpor_search::walker::attached(std::uint64_t place) {
  if (happens())
    search_.path_[present_].current.seen.push_back(resource(place, part::life));
}

void dpor_search::walker::died(std::uint64_t place) {
  if (happens())
    touch(search_.path_[present_], resource(place, part::life));
}

void dpor_search::walker::touched_all() {
  if (happens())
    touch(search_.path_[present_], everything);
}

std::size_t dpor_search::walker::pick(decision_kind kind, const candidates& among) {
  if (kind != decision_kind::event)
    return is_lost_ ? 0 : give(kind, among);
  if (!handles_.empty())
    return among.index_of(handles_.begin()->second);
  if (is_lost_)
    return 0;
  if (depth_ == search_.path_.size())
    begin_frame();
  if (is_lost_) // nothing was left to begin with
    return 0;
  auto& now = search_.path_[depth_];
  if (!now.is_value)
    for (auto& [number, known] : enabled_)
      if (known.second.id == now.current.id)
        return among.index_of(known.first);
  lose();
  return 0;
}

void dpor_search::walker::ended(const run_result& result) {
  // There an actor that crashes does more than is known here: see docs/caf-versions.md.
  if (TROUPE_CAF_MAJOR > 0 && result.faults != 0)
    search_.is_partial_ = true;
  // A path that was not followed to its end belongs to a program that does not repeat itself.
  if (!is_lost_ && depth_ < search_.path_.size())
    lose();
}

bool dpor_search::walker::is_eager(const candidate& event) const noexcept {
  return !is_atomic_ && !search_.takes_are_events_ && event.kind == event_kind::handle &&
         !(memory_counts_ && event.shares_memory);
}

dpor_search::walker::part dpor_search::walker::entrance_of(bool is_urgent) const noexcept {
  return is_urgent && (is_atomic_ || search_.takes_are_events_) ? part::front : part::entrance;
}

dpor_search::step dpor_search::walker::as_step(const candidate& event) const {
  step result;
  result.id = mix(event.identity, static_cast<std::uint64_t>(event.kind));
  result.actor = event.actor;
  const auto where = event.kind == event_kind::arrival ? entrance_of(event.is_urgent) : part::inside;
  result.resources = {resource(event.place, where), resource(event.actor, part::exit)};
  result.seen = {everything};
  if (event.kind == event_kind::handle) {
    // The actor takes what is first, whatever that is.
    auto taken = takes_.find(event.place);
    result.id =
        mix(mix(event.place, taken == takes_.end() ? 0 : taken->second), static_cast<std::uint64_t>(event.kind));
    if (!event.is_urgent)
      result.seen.push_back(resource(event.place, part::front));
  }
  if (memory_counts_ && event.shares_memory)
    result.resources.push_back(shared_memory);
  return result;
}

void dpor_search::walker::begin_frame() {
  frame fresh;
  // Asleep stays what is independent of the last event.
  for (auto at = depth_; at > 0; --at)
    if (auto& before = search_.path_[at - 1]; !before.is_value) {
      for (auto& each : before.sleep)
        if (!dependent(each, before.current))
          fresh.sleep.push_back(each);
      break;
    }
  auto planned = begin_below();
  const auto is_enabled = [&](const step& wanted) {
    return std::any_of(enabled_.begin(), enabled_.end(),
                       [&](auto& each) { return each.second.second.id == wanted.id; });
  };
  planned.erase(std::remove_if(planned.begin(), planned.end(), [&](auto& each) { return !is_enabled(each.what); }),
                planned.end());
  if (!planned.empty()) {
    fresh.current = std::move(planned.front().what);
    fresh.first = std::move(planned.front().below);
    fix(fresh.current);
    planned.erase(planned.begin());
    fresh.pending = std::move(planned);
  } else {
    auto chosen = std::find_if(enabled_.begin(), enabled_.end(), [&](auto& each) {
      return !handles_.count(each.first) && !covers_all(fresh.sleep, each.second.second.id);
    });
    if (chosen == enabled_.end()) {
      ++search_.blocked_;
      is_lost_ = true;
      return;
    }
    fresh.current = chosen->second.second;
  }
  search_.path_.push_back(std::move(fresh));
}

void dpor_search::walker::note(frame& now, const candidate& event) {
  auto asked = std::move(now.current.asked);
  now.current = enabled_[numbers_[event.key]].second;
  now.current.asked = std::move(asked);
  now.answered = 0;
  const auto number = search_.run_.size();
  occurrence o;
  o.frame = present_ = depth_++;
  o.actor = event.actor;
  o.barrier = barrier_;
  if (event.after > 0 && event.after <= happened_.size())
    o.barrier = std::max(o.barrier, happened_[event.after - 1]);
  if (auto handled = causes_.find(event.parent); handled != causes_.end()) {
    for (auto each : {handled->second.last, handled->second.start})
      if (each != 0 && std::find(o.direct.begin(), o.direct.end(), each - 1) == o.direct.end())
        o.direct.push_back(each - 1);
  } else if (auto cause = occurrences_.find(event.parent); cause != occurrences_.end()) {
    o.direct.push_back(cause->second);
  }
  if (event.kind == event_kind::handle) {
    if (auto arrived = occurrences_.find(event.identity); arrived != occurrences_.end()) {
      if (std::find(o.direct.begin(), o.direct.end(), arrived->second) == o.direct.end())
        o.direct.push_back(arrived->second);
      if (event.is_urgent)
        o.overtook = overtaking(event, arrived->second);
    }
    ++takes_[event.place];
  }
  occurrences_[event.identity] = number;
  if (event.kind == event_kind::start)
    handled_[event.place].start = number + 1;
  search_.run_.push_back(std::move(o));
}

dpor_search::occurrence::overtaking dpor_search::walker::overtaking(const candidate& event, std::size_t arrival) const {
  occurrence::overtaking result{arrival, event.overtaken != 0, {}, resource(event.place, part::entrance), {}};
  if (auto waiting = occurrences_.find(event.overtaken); waiting != occurrences_.end())
    result.waiting = waiting->second;
  auto other = event;
  other.is_urgent = false;
  result.instead = as_step(other);
  result.instead.is_open = true;
  result.instead.is_everywhere = is_atomic_;
  return result;
}

void dpor_search::walker::entered(std::uint64_t place, bool is_urgent, std::uint64_t after) {
  if (!is_urgent)
    last_mail_[place] = happened_.size() + 1;
  else if (!is_atomic_ && last_mail_[place] > std::max<std::uint64_t>(after, events_before_))
    search_.begins_anew_ = true;
}

void dpor_search::walker::handled(const candidate& event) {
  if (!event.is_urgent)
    last_mail_[event.place] = happened_.size() + 1;
  else if (event.overtaken != 0)
    search_.begins_anew_ = true;
}

void dpor_search::walker::lose() {
  is_lost_ = true;
  search_.diverged_ = true;
}

std::unique_ptr<strategy> dpor_search::next() {
  if (finished_)
    return nullptr;
  if (begins_anew_ && !takes_are_events_) {
    takes_are_events_ = true;
    discarded_ = begun_;
    path_.clear();
  } else if (started_) {
    order_occurrences();
    find_races();
    if (!backtrack()) {
      finished_ = true;
      return nullptr;
    }
  }
  started_ = true;
  ++begun_;
  run_.clear();
  return std::make_unique<walker>(*this);
}

} // namespace troupe
