// Replay of a tape in a program that has been edited since.
#include "sim/edited_replay.hpp"
#include "sim/order_strategy.hpp"
#include "sim/random_source.hpp"
#include "sim/same_failure.hpp"
#include "sim/text.hpp"
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace troupe {
namespace {

/// The test itself, or whoever else is no participant.
constexpr std::uint64_t nobody = 1;

/// Who takes part in a run, and where events run, by what was recorded of it.
class cast_of {
public:
  struct participant {
    event_kind birth = event_kind::start;
    std::vector<std::uint64_t> children;         ///< In the order of their birth.
    std::map<std::uint64_t, std::size_t> habits; ///< What it gets and sends, and how often.
  };

  explicit cast_of(const event_record& record) {
    all_[nobody];
    std::unordered_map<std::uint64_t, std::size_t> ran;
    for (std::size_t i = 0; i < record.events.size(); ++i)
      if (const auto& event = record.events[i].what; event.kind != event_kind::arrival) {
        places_.emplace(event.identity, event.place);
        ran.emplace(event.identity, i);
      }
    std::map<std::uint64_t, std::vector<birth>> births;
    for (const auto& each : record.events) {
      const auto& event = each.what;
      const auto sender = place_of(event.parent);
      // A participant has the identity of what brought it about.
      if (event.identity == event.place && all_.try_emplace(event.place).second) {
        all_[event.place].birth = event.kind;
        auto parent = ran.find(event.parent);
        births[sender].push_back(
            {parent == ran.end() ? 0 : parent->second, effect_number(event.parent, event.identity), event.place});
      }
      if (event.kind == event_kind::arrival)
        continue;
      ++all_[event.place].habits[mix(static_cast<std::uint64_t>(event.kind), event.content)];
      ++all_[sender].habits[mix(~static_cast<std::uint64_t>(event.kind), event.content)];
    }
    for (auto& [parent, children] : births) {
      std::stable_sort(children.begin(), children.end(), [](const birth& a, const birth& b) {
        return std::pair(a.during, a.number) < std::pair(b.during, b.number);
      });
      for (const auto& each : children)
        all_[parent].children.push_back(each.who);
    }
  }

  std::uint64_t place_of(std::uint64_t event) const {
    auto found = places_.find(event);
    return found == places_.end() ? nobody : found->second;
  }
  bool knows(std::uint64_t who) const { return all_.count(who) != 0; }
  const participant& operator[](std::uint64_t who) const { return all_.at(who); }

private:
  struct birth {
    std::size_t during = 0; ///< Place of the event that caused it.
    std::size_t number = 0; ///< Among the effects of that.
    std::uint64_t who = 0;
  };

  /// The order of births is that of the spawns, whatever started first: the number that made the identity.
  static std::size_t effect_number(std::uint64_t cause, std::uint64_t identity) {
    constexpr std::size_t most = 4'096;
    std::size_t number = 1;
    while (number < most && mix(cause, number) != identity)
      ++number;
    return number;
  }

  std::map<std::uint64_t, participant> all_;
  std::unordered_map<std::uint64_t, std::uint64_t> places_; ///< Where each event ran.
};

/// From 0, nothing in common, to 1.
double similarity(const cast_of::participant& a, const cast_of::participant& b) {
  if (a.birth != b.birth)
    return 0;
  double common = 1, all = 1;
  auto other = b.habits;
  for (const auto& [habit, count] : a.habits) {
    const auto theirs = other.count(habit) != 0 ? other[habit] : 0;
    common += static_cast<double>(std::min(count, theirs));
    all += static_cast<double>(std::max(count, theirs));
    other.erase(habit);
  }
  for (const auto& [habit, count] : other)
    all += static_cast<double>(count);
  return common / all;
}

/// Whom of the recorded participants each one of now stands for.
class matching {
public:
  matching(const cast_of& now, const cast_of& then) : now_(now), then_(then) {
    roles_[nobody] = nobody;
    match(nobody, nobody);
  }
  /// 0: for none.
  std::uint64_t role(std::uint64_t who) const {
    auto found = roles_.find(who);
    if (found != roles_.end())
      return found->second;
    return now_.knows(who) ? 0 : who; // the main thread, the test: whoever was there before
  }

private:
  /// The children of two, in order, so that their likenesses add up to the most.
  void match(std::uint64_t now, std::uint64_t then) {
    const auto& a = now_[now].children;
    const auto& b = then_[then].children;
    if (a.size() * b.size() > 4'000'000)
      return; // Nobody would wait for it.
    std::vector<std::vector<double>> best(a.size() + 1, std::vector<double>(b.size() + 1));
    auto likeness = [&](std::size_t i, std::size_t j) { return similarity(now_[a[i]], then_[b[j]]); };
    for (auto i = a.size(); i-- > 0;)
      for (auto j = b.size(); j-- > 0;)
        best[i][j] = std::max({best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + likeness(i, j)});
    for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
      const auto like = likeness(i, j);
      if (like > 0 && best[i][j] == best[i + 1][j + 1] + like) {
        roles_[a[i]] = b[j];
        match(a[i++], b[j++]);
      } else if (best[i][j] == best[i + 1][j]) {
        ++i;
      } else {
        ++j;
      }
    }
  }

  const cast_of& now_;
  const cast_of& then_;
  std::unordered_map<std::uint64_t, std::uint64_t> roles_;
};

std::uint64_t name_of(const candidate& event, std::uint64_t place, std::uint64_t sender) {
  return mix(mix(static_cast<std::uint64_t>(event.kind), event.content), mix(place, sender)) | 1;
}

} // namespace

edited_replay replay_edited(const runner& run, const tape& recorded, recorded_run first, unsigned rounds) {
  run_result wanted;
  wanted.end = recorded.end;
  wanted.message = recorded.message;
  const cast_of then(recorded.order);
  edited_replay best;
  auto last = std::move(first);
  for (unsigned round = 0; round < rounds && !best.is_same_failure; ++round) {
    const cast_of now(last.record);
    const matching roles(now, then);
    std::unordered_map<std::uint64_t, std::uint64_t> places; // Where each event runs, so far.
    order_strategy order(
        recorded.order, recorded.options.model,
        [&](const candidate& event) { return name_of(event, event.place, then.place_of(event.parent)); },
        [&](const candidate& event) {
          if (event.kind != event_kind::arrival)
            places.emplace(event.identity, event.place);
          auto cause = places.find(event.parent);
          const auto place = roles.role(event.place),
                     sender = roles.role(cause == places.end() ? nobody : cause->second);
          return place == 0 || sender == 0 ? 0 : name_of(event, place, sender);
        });
    auto result = run_recorded(run, recorded.options.seed, order, true);
    edited_replay tried;
    tried.is_same_failure = same_failure(result.result, wanted);
    tried.unknown = order.unknown();
    tried.known = result.record.events.size() - tried.unknown;
    tried.missing = order.missing().size();
    if (round == 0 || tried.is_same_failure || tried.known > best.known) {
      std::set<std::string> strangers;
      const auto entries = trace_entries(result.record, result.result.trace);
      for (std::size_t i = 0; i < entries.size(); ++i)
        if (entries[i] != no_entry && !result.result.trace[entries[i]].internal &&
            roles.role(result.record.events[i].what.place) == 0)
          strangers.insert(one_line(result.result.trace[entries[i]].to));
      tried.participants.assign(strangers.begin(), strangers.end());
      tried.run = result;
      best = std::move(tried);
    }
    last = std::move(result);
  }
  return best;
}

} // namespace troupe
