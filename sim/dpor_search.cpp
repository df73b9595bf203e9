// Optimal dynamic partial order reduction: one schedule for every outcome.
#include "sim/dpor_search.hpp"
#include "sim/random_source.hpp"
#include "sim/run_result.hpp"
#include "sim/simulation_options.hpp"
#include <algorithm>
#include <functional>
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
      : search_(search), memory_counts_(search.shared_ == memory::all_dependent), replayed_(search.path_.size()) {}

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
    if (is_eager(event)) {
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
  void delivered(std::uint64_t place) override {
    if (!is_lost_ && depth_ > 0 && present_ < search_.path_.size())
      touch(search_.path_[present_], mix(place, 1));
  }
  void touched(std::uint64_t place) override {
    if (!is_lost_ && depth_ > 0 && present_ < search_.path_.size())
      for (std::uint64_t how : {1, 2, 4})
        touch(search_.path_[present_], mix(place, how));
  }
  void missed(std::uint64_t place) override {
    if (is_lost_ || depth_ == 0 || present_ >= search_.path_.size())
      return;
    // Only that the receiver is gone matters, not what else is lost there.
    auto& now = search_.path_[present_].current;
    now.seen.push_back(mix(place, 1));
    std::erase(now.resources, mix(place, 1));
  }
  void spent(std::uint64_t key, std::uint64_t parent) override {
    auto by = occurrences_.find(parent);
    if (!is_lost_ && by != occurrences_.end())
      answer(by->second, {mix(key), {key}});
  }
  void time_passed() override { barrier_ = search_.run_.size(); }

  std::size_t pick(decision_kind kind, const candidates& among) override {
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

  void ended(const run_result& result) override {
    // Not tried in all orders: who hears of a crash, what the crash of a node or a partition does to several actors,
    // and whether urgent mail overtakes what waits.
    if (result.may_crash || result.may_overtake)
      search_.is_partial_ = true;
    // A path that was not followed to its end belongs to a program that does not repeat itself.
    if (!is_lost_ && depth_ < search_.path_.size())
      lose();
  }

private:
  /// Occurrences by their number, from 1; 0 for none.
  struct causes {
    std::size_t last = 0;  ///< What was handled last.
    std::size_t start = 0; ///< The start of the actor.
  };

  bool is_eager(const candidate& event) const noexcept {
    return !is_atomic_ && event.kind == event_kind::handle && !(memory_counts_ && event.shares_memory);
  }

  step as_step(const candidate& event) const {
    // Entering a mailbox or lane is one thing, running there another, and sending from there a third one.
    step result;
    result.id = mix(event.identity, static_cast<std::uint64_t>(event.kind));
    result.actor = event.actor;
    result.resources = {mix(event.place, event.kind == event_kind::arrival ? 1 : 2), mix(event.actor, 4)};
    if (memory_counts_ && event.shares_memory)
      result.resources.push_back(shared_memory);
    return result;
  }

  static void touch(frame& by, std::uint64_t resource) {
    auto& all = by.current.resources;
    if (std::find(all.begin(), all.end(), resource) == all.end())
      all.push_back(resource);
  }

  std::size_t give(decision_kind kind, const candidates& among) {
    auto first = among[0];
    auto key = kind == decision_kind::fault ? mix(first.identity) : mix(first.parent, ++questions_[first.parent]);
    auto by = occurrences_.find(first.parent);
    if (by == occurrences_.end())
      return give_test(among);
    auto wanted = answer(by->second, question(key, among));
    for (std::size_t i = 0; i < among.size(); ++i)
      if (among[i].identity == wanted)
        return i;
    lose();
    return 0;
  }

  /// What the present event is told. Values belong to the event during which they are asked for, which need not be the
  /// one that is handled: the start of an actor makes it handle what has arrived.
  std::uint64_t answer(std::size_t asker, value&& asked_now) {
    const auto frame = present_;
    auto& now = search_.path_[frame];
    asked_now.asker = asker;
    auto& asked = now.current.asked;
    const auto next = asked.begin() + static_cast<std::ptrdiff_t>(now.answered);
    auto known = std::find_if(next, asked.end(), [&](auto& each) { return each.key == asked_now.key; });
    if (known != asked.end()) {
      // What was planned and is not asked for any more had no part in the plan.
      asked.erase(next, known);
    } else if (frame + 1 < replayed_) {
      lose();
      return 0;
    } else {
      skip_asleep(now, asked_now);
      asked.insert(next, std::move(asked_now));
    }
    asked[now.answered].asker = asker;
    return asked[now.answered++].answer();
  }

  static value question(std::uint64_t key, const candidates& among) {
    value result{key, {}};
    for (std::size_t i = 0; i < among.size(); ++i)
      result.offered.push_back(among[i].identity);
    return result;
  }

  /// Gives it the first value with which the event has not been explored yet.
  void skip_asleep(const frame& now, value& fresh) {
    std::vector<const values*> known;
    covers_all(now.sleep, now.current.id, &known);
    auto depth = now.answered;
    std::erase_if(known, [&](auto* each) {
      if (each->size() <= depth || (*each)[depth].key != fresh.key)
        return true;
      for (std::size_t i = 0; i < depth; ++i)
        if ((*each)[i].key != now.current.asked[i].key || (*each)[i].answer() != now.current.asked[i].answer())
          return true;
      return false;
    });
    for (; fresh.given < fresh.offered.size(); ++fresh.given) {
      auto same = known;
      std::erase_if(same, [&](auto* each) { return (*each)[depth].answer() != fresh.answer(); });
      if (!are_complete(same, depth + 1))
        return;
    }
    fresh.given = 0;
    ++search_.blocked_;
    is_lost_ = true;
  }

  /// A value that no event asks for, but the test between two events, or time.
  std::size_t give_test(const candidates& among) {
    if (depth_ == search_.path_.size()) {
      frame fresh;
      fresh.is_value = true;
      fresh.count = among.size();
      fresh.first = begin_below();
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
  std::vector<wakeup> begin_below() { return depth_ == 0 ? std::vector<wakeup>() : search_.path_[depth_ - 1].first; }

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

  void note(frame& now, const candidate& event) {
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
    occurrences_[event.identity] = number;
    if (event.kind == event_kind::start)
      handled_[event.place].start = number + 1;
    search_.run_.push_back(std::move(o));
  }

  void lose() {
    is_lost_ = true;
    search_.diverged_ = true;
  }

  dpor_search& search_;
  const bool memory_counts_;
  const std::size_t replayed_; // frames that are as they were; the last of them goes another way
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
  std::unordered_map<std::uint64_t, causes> causes_;           // of what an event's handling has caused, by identity
  std::unordered_map<std::uint64_t, causes> handled_;          // by place
  std::unordered_map<std::uint64_t, std::uint64_t> questions_; // by identity of the event that asks
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
    auto left = each.pending.size();
    for (auto& asked : each.current.asked)
      if (!asked.is_fixed)
        left += asked.offered.size() - 1 - asked.given;
    share /= static_cast<double>(each.is_value ? each.count : each.explored + 1 + left);
    sum += share * static_cast<double>(done);
  }
  return started_ ? std::min(sum + share, 0.999999) : 0;
}

bool dpor_search::dependent(const step& a, const step& b) noexcept {
  const auto share = [](const auto& some, const auto& others) {
    return std::any_of(some.begin(), some.end(),
                       [&](auto each) { return std::find(others.begin(), others.end(), each) != others.end(); });
  };
  return a.actor == b.actor || share(a.resources, b.resources) || share(a.resources, b.seen) ||
         share(a.seen, b.resources);
}

/// What is not asked for is what happens unless it is decided otherwise.
bool dpor_search::same_values(const values& a, const values& b) noexcept {
  const auto within = [](const values& x, const values& y) {
    return std::all_of(x.begin(), x.end(), [&](const value& each) {
      auto other = std::find_if(y.begin(), y.end(), [&](const value& v) { return v.key == each.key; });
      return each.answer() == (other == y.end() ? each.offered[0] : other->answer());
    });
  };
  return within(a, b) && within(b, a);
}

bool dpor_search::are_complete(const std::vector<const values*>& known, std::size_t depth) {
  if (known.empty())
    return false;
  if (std::any_of(known.begin(), known.end(), [&](auto* each) { return each->size() <= depth; }))
    return true;
  const auto& question = (*known.front())[depth];
  for (std::size_t given = 0; given < question.offered.size(); ++given) {
    std::vector<const values*> same;
    for (auto* each : known)
      if ((*each)[depth].key == question.key && (*each)[depth].answer() == question.offered[given])
        same.push_back(each);
    if (!are_complete(same, depth + 1))
      return false;
  }
  return true;
}

bool dpor_search::covers_all(const std::vector<step>& known, std::uint64_t event, std::vector<const values*>* with) {
  std::vector<const values*> seen;
  for (auto& each : known)
    if (each.id == event)
      seen.push_back(&each.asked);
  const bool all = are_complete(seen, 0);
  if (with)
    *with = std::move(seen);
  return all;
}

bool dpor_search::is_asleep(const std::vector<step>& asleep, const std::vector<const step*>& sequence) {
  std::unordered_map<std::uint64_t, std::vector<const values*>> beside; // of events that it does not name
  for (auto& each : asleep) {
    std::size_t at = 0;
    while (at < sequence.size() && sequence[at]->id != each.id && !dependent(*sequence[at], each))
      ++at;
    if (at == sequence.size())
      beside[each.id].push_back(&each.asked);
    else if (sequence[at]->id == each.id && same_values(sequence[at]->asked, each.asked))
      return true;
  }
  return std::any_of(beside.begin(), beside.end(), [](auto& each) { return are_complete(each.second, 0); });
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
  struct access {
    std::vector<std::size_t> seen_by; ///< Since it was changed last.
    std::size_t changed_by = 0;       ///< From 1; 0 for nobody.
  };
  std::unordered_map<std::uint64_t, access> accesses;
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
    const auto follows = [&](std::size_t before) {
      if (std::find(o.direct.begin(), o.direct.end(), before) == o.direct.end()) {
        o.direct.push_back(before);
        o.rivals.push_back(before);
      }
    };
    auto& what = path_[o.frame].current;
    for (auto resource : what.resources) {
      auto& uses = accesses[resource];
      for (auto before : uses.seen_by)
        follows(before);
      if (uses.changed_by != 0)
        follows(uses.changed_by - 1);
      uses.seen_by.clear();
      uses.changed_by = i + 1;
    }
    for (auto resource : what.seen) {
      auto& uses = accesses[resource];
      if (uses.changed_by != 0)
        follows(uses.changed_by - 1);
      uses.seen_by.push_back(i);
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
  // What is asked for while something is handled that does not come before it here will not be asked for.
  std::unordered_map<std::size_t, step> steps;
  for (auto k : sequence) {
    auto& what = steps[k] = path_[run_[k].frame].current;
    std::erase_if(what.asked, [&](const value& each) {
      const auto is_before = &path_[run_[each.asker].frame] < &at;
      return !is_before && std::find(sequence.begin(), sequence.end(), each.asker) == sequence.end();
    });
  }
  const auto what = [&](std::size_t k) -> const step& { return steps[k]; };
  std::vector<const step*> all;
  for (auto k : sequence)
    all.push_back(&what(k));
  if (is_asleep(at.sleep, all))
    return;
  /// Whether some run that begins with `first` is equivalent to one that begins with the sequence, whatever the values
  /// that neither of them names.
  const auto is_weak_initial = [&](const step& first) {
    for (auto k = sequence.begin(); k != sequence.end(); ++k)
      if (what(*k).id == first.id)
        return same_values(what(*k).asked, first.asked) && std::none_of(sequence.begin(), k, [&](auto earlier) {
                 return precedes(run_[earlier], earlier, run_[*k]);
               });
    return first.asked.empty() &&
           std::none_of(sequence.begin(), sequence.end(), [&](auto k) { return dependent(what(k), first); });
  };
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

/// Whether all that begins as planned has been explored since it was planned.
bool dpor_search::is_explored(const frame& at, const wakeup& planned) {
  std::vector<const step*> before;
  const std::function<bool(const wakeup&)> covered = [&](const wakeup& from) {
    before.push_back(&from.what);
    const bool result =
        from.below.empty() ? is_asleep(at.sleep, before) : std::all_of(from.below.begin(), from.below.end(), covered);
    before.pop_back();
    return result;
  };
  return covered(planned);
}

void dpor_search::fix(step& planned) noexcept {
  for (auto& each : planned.asked)
    each.is_fixed = true;
}

bool dpor_search::is_partial(const step& explored) noexcept {
  return std::any_of(explored.asked.begin(), explored.asked.end(), [](auto& each) { return each.is_fixed; });
}

/// Moves on to the next values of the same event. @returns false if there are none
bool dpor_search::give_next(frame& last) {
  auto& asked = last.current.asked;
  std::vector<const values*> known;
  if (!is_partial(last.current))
    covers_all(last.sleep, last.current.id, &known);
  for (auto i = asked.size(); i-- > 0;) {
    if (asked[i].is_fixed)
      continue;
    while (++asked[i].given < asked[i].offered.size()) {
      std::vector<const values*> same;
      for (auto* each : known)
        if (each->size() > i &&
            std::equal(asked.begin(), asked.begin() + static_cast<std::ptrdiff_t>(i) + 1, each->begin(),
                       [](auto& a, auto& b) { return a.key == b.key && a.answer() == b.answer(); }))
          same.push_back(each);
      if (!are_complete(same, i + 1))
        return true;
    }
    asked.erase(asked.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return false;
}

bool dpor_search::backtrack() {
  for (; !path_.empty(); path_.pop_back()) {
    auto& last = path_.back();
    if (last.is_value) {
      if (++last.index < last.count)
        return true;
      continue;
    }
    ++last.explored;
    last.sleep.push_back(last.current);
    if (give_next(last))
      return true;
    while (!last.pending.empty()) {
      auto next = std::move(last.pending.front());
      last.pending.erase(last.pending.begin());
      if (is_explored(last, next))
        continue;
      last.current = std::move(next.what);
      last.first = std::move(next.below);
      fix(last.current);
      return true;
    }
  }
  return false;
}

} // namespace troupe
