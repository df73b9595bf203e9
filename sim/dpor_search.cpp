// Optimal dynamic partial order reduction: one schedule for every outcome.
#include "sim/dpor_search.hpp"
#include <algorithm>
#include <functional>
#include <utility>

namespace troupe {

dpor_search::dpor_search(memory shared) : shared_(shared) {}
dpor_search::~dpor_search() = default;

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
  return a.is_everywhere || b.is_everywhere || a.actor == b.actor || share(a.resources, b.resources) ||
         share(a.resources, b.seen) || share(a.seen, b.resources);
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
    const bool is_named = at < sequence.size() && sequence[at]->id == each.id;
    if (at == sequence.size() || (is_named && sequence[at]->is_open))
      beside[each.id].push_back(&each.asked);
    else if (is_named && same_values(sequence[at]->asked, each.asked))
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
      if (before != i && std::find(o.direct.begin(), o.direct.end(), before) == o.direct.end()) {
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
  for (std::size_t j = 0; j < run_.size(); ++j) {
    for (auto i : run_[j].rivals)
      reverse(i, j, nullptr);
    if (run_[j].overtook)
      reverse_overtaking(j);
  }
}

/// An actor takes urgent mail: it could have taken other mail before that came, unless that came because of it.
void dpor_search::reverse_overtaking(std::size_t take) {
  auto& overtook = *run_[take].overtook;
  const auto urgent = overtook.arrival;
  if (!overtook.waiting && !overtook.is_something_waiting) {
    const auto brings_mail = [&](const occurrence& each) {
      const auto& all = path_[each.frame].current.resources;
      return std::find(all.begin(), all.end(), overtook.entrance) != all.end();
    };
    auto next = std::find_if(run_.begin() + static_cast<std::ptrdiff_t>(take) + 1, run_.end(), brings_mail);
    if (next == run_.end())
      return;
    overtook.waiting = static_cast<std::size_t>(next - run_.begin());
  }
  if (run_[urgent].actor != run_[take].actor &&
      (!overtook.waiting || !precedes(run_[urgent], urgent, run_[*overtook.waiting])))
    reverse(urgent, take, &overtook.instead);
}

/// Plans to have `later` before `earlier`, if nothing else has them in this order; there it is `instead`, if given.
void dpor_search::reverse(std::size_t earlier, std::size_t later, const step* instead) {
  const auto& direct = run_[later].direct;
  const bool is_between = std::any_of(direct.begin(), direct.end(), [&](std::size_t other) {
    return other != earlier && precedes(run_[earlier], earlier, run_[other]);
  });
  if (earlier < run_[later].barrier || is_between)
    return;
  std::vector<std::size_t> sequence;
  const auto last = std::max(later, instead ? run_[later].overtook->waiting.value_or(later) : later);
  for (auto k = earlier + 1; k <= last; ++k)
    if (k != later && !precedes(run_[earlier], earlier, run_[k]))
      sequence.push_back(k);
  sequence.push_back(later);
  insert(path_[run_[earlier].frame], std::move(sequence), instead);
}

void dpor_search::insert(frame& at, std::vector<std::size_t> sequence, const step* instead) {
  // What is asked for while something is handled that does not come before it here will not be asked for.
  std::unordered_map<std::size_t, step> steps;
  for (auto k : sequence) {
    auto& what = steps[k] = path_[run_[k].frame].current;
    std::erase_if(what.asked, [&](const value& each) {
      const auto is_before = &path_[run_[each.asker].frame] < &at;
      return !is_before && std::find(sequence.begin(), sequence.end(), each.asker) == sequence.end();
    });
  }
  if (instead)
    steps[sequence.back()] = *instead;
  const auto what = [&](std::size_t k) -> const step& { return steps[k]; };
  const auto is_before = [&, later = sequence.back()](std::size_t k, std::size_t l) {
    if (precedes(run_[k], k, run_[l]))
      return true;
    const auto waiting = instead && l == later ? run_[l].overtook->waiting : std::nullopt;
    return waiting && (k == *waiting || precedes(run_[k], k, run_[*waiting]));
  };
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
        return (first.is_open || (!what(*k).is_open && same_values(what(*k).asked, first.asked))) &&
               std::none_of(sequence.begin(), k, [&](auto earlier) { return is_before(earlier, *k); });
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
