// Optimal dynamic partial order reduction: one schedule for every outcome.
#include "sim/dpor_search.hpp"
#include "sim/random_source.hpp"
#include "sim/simulation_options.hpp"
#include <algorithm>
#include <map>
#include <utility>

namespace troupe {

namespace {
/// The resource of everything that may interact without messages.
constexpr std::uint64_t shared_memory = 0x6d656d6f7279ull;
} // namespace

/// Follows the current path, then goes on with any event that is not asleep, and writes down what happens.
class dpor_search::walker final : public strategy {
public:
  explicit walker(dpor_search& search) noexcept
      : search_(search), memory_counts_(search.shared_ == memory::all_dependent) {}

  void begins(order_model model) override { is_atomic_ = model == order_model::atomic; }
  bool is_watching() const noexcept override { return true; }

  void enabled(const candidate& event) override {
    auto number = ++last_;
    numbers_[event.key] = number;
    enabled_.emplace(number, std::pair(event.key, as_step(event)));
    if (is_eager(event))
      handles_.emplace(number, event.key);
  }
  void withdrawn(const candidate& event) override {
    auto number = numbers_[event.key];
    numbers_.erase(event.key);
    enabled_.erase(number);
    handles_.erase(number);
  }
  void happened(const candidate& event) override {
    if (!is_eager(event) && !is_lost_) {
      auto id = enabled_[numbers_[event.key]].second.id;
      if (depth_ == search_.path_.size())
        begin_frame();
      auto& now = search_.path_[depth_];
      if (now.is_value || now.current.id != id)
        lose();
      else
        note(now, event);
    }
    happened_.push_back(search_.run_.size());
    withdrawn(event);
  }
  void delivered(std::uint64_t place) override {
    if (!is_lost_ && depth_ > 0 && present_ < search_.path_.size()) {
      auto& resources = search_.path_[present_].current.resources;
      if (auto mailbox = mix(place, 1); std::find(resources.begin(), resources.end(), mailbox) == resources.end())
        resources.push_back(mailbox);
    }
  }
  void time_passed() override { barrier_ = search_.run_.size(); }

  std::size_t pick(decision_kind kind, const candidates& among) override {
    if (kind != decision_kind::event)
      return pick_value(among);
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

  void ended(const run_result&) override {
    // A path that was not followed to its end belongs to a program that does not repeat itself.
    if (!is_lost_ && depth_ < search_.path_.size())
      lose();
  }

private:
  bool is_eager(const candidate& event) const noexcept {
    return !is_atomic_ && event.kind == event_kind::handle && !(memory_counts_ && event.shares_memory);
  }

  step as_step(const candidate& event) const {
    // Entering a mailbox or lane is one thing, running there another.
    step result{mix(event.identity, static_cast<std::uint64_t>(event.kind)),
                event.actor,
                {mix(event.place, event.kind == event_kind::arrival ? 1 : 2)}};
    if (memory_counts_ && event.shares_memory)
      result.resources.push_back(shared_memory);
    return result;
  }

  std::size_t pick_value(const candidates& among) {
    if (is_lost_)
      return 0;
    if (depth_ == search_.path_.size()) {
      frame fresh;
      fresh.is_value = true;
      fresh.count = among.size();
      fresh.first = begin_below(false);
      search_.path_.push_back(std::move(fresh));
    }
    auto& now = search_.path_[depth_];
    if (!now.is_value || now.count != among.size()) {
      lose();
      return 0;
    }
    ++depth_;
    return now.index;
  }

  /// What the frame before lets the next one begin with.
  std::vector<wakeup> begin_below(bool take) {
    if (depth_ == 0)
      return {};
    auto& before = search_.path_[depth_ - 1];
    if (take && !before.is_value)
      return std::exchange(before.first, {});
    return before.first;
  }

  void begin_frame() {
    frame fresh;
    // Asleep stays what is independent of the last event.
    for (auto at = depth_; at > 0; --at)
      if (auto& before = search_.path_[at - 1]; !before.is_value) {
        for (auto& each : before.sleep)
          if (!dependent(each, before.current))
            fresh.sleep.push_back(each);
        break;
      }
    auto planned = begin_below(true);
    const auto is_enabled = [&](const step& wanted) {
      return std::any_of(enabled_.begin(), enabled_.end(),
                         [&](auto& each) { return each.second.second.id == wanted.id; });
    };
    planned.erase(std::remove_if(planned.begin(), planned.end(), [&](auto& each) { return !is_enabled(each.what); }),
                  planned.end());
    if (!planned.empty()) {
      fresh.current = std::move(planned.front().what);
      fresh.first = std::move(planned.front().below);
      planned.erase(planned.begin());
      fresh.pending = std::move(planned);
    } else {
      const auto is_asleep = [&](const step& event) {
        return std::any_of(fresh.sleep.begin(), fresh.sleep.end(), [&](auto& each) { return each.id == event.id; });
      };
      auto chosen = std::find_if(enabled_.begin(), enabled_.end(), [&](auto& each) {
        return !handles_.count(each.first) && !is_asleep(each.second.second);
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

  void note(frame& now, const candidate& event) {
    now.current = enabled_[numbers_[event.key]].second;
    occurrence o;
    o.frame = present_ = depth_++;
    o.actor = event.actor;
    o.barrier = barrier_;
    if (event.after > 0 && event.after <= happened_.size())
      o.barrier = std::max(o.barrier, happened_[event.after - 1]);
    if (auto cause = occurrences_.find(event.parent); cause != occurrences_.end())
      o.direct.push_back(cause->second);
    occurrences_[event.identity] = search_.run_.size();
    search_.run_.push_back(std::move(o));
  }

  void lose() {
    is_lost_ = true;
    search_.diverged_ = true;
  }

  dpor_search& search_;
  const bool memory_counts_;
  bool is_atomic_ = false;
  bool is_lost_ = false; // off the path: what happens is of no interest any more
  std::size_t depth_ = 0;
  std::size_t present_ = 0; // frame of the event that happens now
  std::size_t barrier_ = 0;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, std::pair<const void*, step>> enabled_; // oldest first
  std::map<std::uint64_t, const void*> handles_;
  std::unordered_map<const void*, std::uint64_t> numbers_;
  std::unordered_map<std::uint64_t, std::size_t> occurrences_; // by identity
  std::vector<std::size_t> happened_;                          // occurrences so far, after each event
};

dpor_search::dpor_search(memory shared) : shared_(shared) {}
dpor_search::~dpor_search() = default;

std::unique_ptr<strategy> dpor_search::next() {
  if (finished_)
    return nullptr;
  if (started_) {
    order_occurrences();
    find_races();
    if (!backtrack()) {
      finished_ = true;
      return nullptr;
    }
  }
  started_ = true;
  run_.clear();
  return std::make_unique<walker>(*this);
}

double dpor_search::covered() const noexcept {
  if (finished_)
    return 1;
  double share = 1, sum = 0;
  for (auto& each : path_) {
    auto done = each.is_value ? each.index : each.explored;
    share /= static_cast<double>(each.is_value ? each.count : each.explored + 1 + each.pending.size());
    sum += share * static_cast<double>(done);
  }
  return started_ ? std::min(sum + share, 0.999999) : 0;
}

bool dpor_search::dependent(const step& a, const step& b) noexcept {
  if (a.actor == b.actor)
    return true;
  for (auto each : a.resources)
    if (std::find(b.resources.begin(), b.resources.end(), each) != b.resources.end())
      return true;
  return false;
}

bool dpor_search::precedes(const occurrence& earlier, std::size_t earlier_index,
                           const occurrence& later) const noexcept {
  if (earlier_index < later.barrier)
    return true;
  auto actor = actor_index_.at(earlier.actor);
  return actor < later.clock.size() && later.clock[actor] >= earlier.sequence;
}

void dpor_search::order_occurrences() {
  actor_index_.clear();
  std::vector<std::size_t> last_of_actor;
  std::vector<std::uint32_t> counts;
  std::unordered_map<std::uint64_t, std::size_t> last_to_touch;
  for (std::size_t i = 0; i < run_.size(); ++i) {
    auto& o = run_[i];
    auto [known, is_new] = actor_index_.try_emplace(o.actor, counts.size());
    auto actor = known->second;
    if (is_new) {
      counts.push_back(0);
      last_of_actor.push_back(i);
    } else {
      o.direct.push_back(last_of_actor[actor]);
      last_of_actor[actor] = i;
    }
    o.sequence = ++counts[actor];
    for (auto resource : path_[o.frame].current.resources) {
      auto [at, is_first] = last_to_touch.try_emplace(resource, i);
      if (!is_first) {
        auto before = std::exchange(at->second, i);
        if (std::find(o.direct.begin(), o.direct.end(), before) == o.direct.end()) {
          o.direct.push_back(before);
          o.rivals.push_back(before);
        }
      }
    }
    for (auto before : o.direct) {
      auto& past = run_[before];
      o.barrier = std::max(o.barrier, past.barrier);
      if (o.clock.size() < past.clock.size())
        o.clock.resize(past.clock.size());
      for (std::size_t c = 0; c < past.clock.size(); ++c)
        o.clock[c] = std::max(o.clock[c], past.clock[c]);
    }
    if (o.clock.size() <= actor)
      o.clock.resize(actor + 1);
    o.clock[actor] = o.sequence;
  }
}

void dpor_search::find_races() {
  for (std::size_t j = 0; j < run_.size(); ++j)
    for (auto i : run_[j].rivals) {
      if (i < run_[j].barrier)
        continue;
      const bool is_between = std::any_of(run_[j].direct.begin(), run_[j].direct.end(), [&](std::size_t other) {
        return other != i && precedes(run_[i], i, run_[other]);
      });
      if (is_between)
        continue;
      std::vector<std::size_t> sequence;
      for (auto k = i + 1; k < j; ++k)
        if (!precedes(run_[i], i, run_[k]))
          sequence.push_back(k);
      sequence.push_back(j);
      insert(path_[run_[i].frame], std::move(sequence));
    }
}

void dpor_search::insert(frame& at, std::vector<std::size_t> sequence) {
  const auto what = [&](std::size_t k) -> const step& { return path_[run_[k].frame].current; };
  /// Whether some run that begins with `first` is equivalent to one that begins with the sequence.
  const auto is_weak_initial = [&](const step& first) {
    for (auto k = sequence.begin(); k != sequence.end(); ++k)
      if (what(*k).id == first.id)
        return std::none_of(sequence.begin(), k,
                            [&](auto earlier) { return precedes(run_[earlier], earlier, run_[*k]); });
    return std::none_of(sequence.begin(), sequence.end(), [&](auto k) { return dependent(what(k), first); });
  };
  if (std::any_of(at.sleep.begin(), at.sleep.end(), is_weak_initial))
    return;
  auto* children = &at.pending;
  for (;;) {
    auto child = std::find_if(children->begin(), children->end(),
                              [&](const wakeup& each) { return is_weak_initial(each.what); });
    if (child == children->end())
      break;
    sequence.erase(
        std::remove_if(sequence.begin(), sequence.end(), [&](auto k) { return what(k).id == child->what.id; }),
        sequence.end());
    if (sequence.empty() || child->below.empty())
      return;
    children = &child->below;
  }
  for (auto k : sequence) {
    children->push_back({what(k), {}});
    children = &children->back().below;
  }
}

bool dpor_search::backtrack() {
  for (; !path_.empty(); path_.pop_back()) {
    auto& last = path_.back();
    if (last.is_value) {
      if (++last.index < last.count)
        return true;
      continue;
    }
    last.sleep.push_back(std::move(last.current));
    ++last.explored;
    if (!last.pending.empty()) {
      last.current = std::move(last.pending.front().what);
      last.first = std::move(last.pending.front().below);
      last.pending.erase(last.pending.begin());
      return true;
    }
  }
  return false;
}

} // namespace troupe
