// How dpor runs a schedule: along its path, then with whatever is not asleep, writing down what happens.
#include "sim/dpor_search.hpp"
#include "sim/random_source.hpp"
#include "sim/run_result.hpp"
#include "sim/simulation_options.hpp"
#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

namespace troupe {
namespace {
/// The resource of everything that may interact without messages.
constexpr std::uint64_t shared_memory = 0x6d656d6f7279ull;
/// The resource that every event sees.
constexpr std::uint64_t everything = 0x616c6cull;

/// What there is of each place, as resources. Entering a mailbox or lane is one thing, running there another, sending
/// from there a third one, overtaking what waits there a fourth, and living there a fifth.
enum class part : std::uint64_t { entrance = 1, inside = 2, life = 3, exit = 4, front = 5 };
std::uint64_t resource(std::uint64_t place, part which) noexcept {
  return mix(place, static_cast<std::uint64_t>(which));
}
} // namespace

/// Follows the current path, then goes on with any event that is not asleep, and writes down what happens.
class dpor_search::walker final : public strategy {
public:
  explicit walker(dpor_search& search) noexcept
      : search_(search), memory_counts_(search.shared_ == memory::all_dependent), replayed_(search.path_.size()) {}

  void begins(order_model model) override { is_atomic_ = model == order_model::atomic; }
  bool is_watching() const noexcept override { return true; }
  bool wants_lives() const noexcept override { return true; }

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
  void delivered(std::uint64_t place, std::uint64_t message, bool is_urgent) override {
    if (!happens())
      return;
    entered(place, is_urgent, 0);
    touch(search_.path_[present_], resource(place, entrance_of(is_urgent)));
    occurrences_[message] = search_.run_.size() - 1;
  }
  void touched(std::uint64_t place) override {
    if (happens())
      for (auto which : {part::entrance, part::inside, part::front})
        touch(search_.path_[present_], resource(place, which));
  }
  void missed(std::uint64_t place) override {
    if (!happens())
      return;
    // Only that the receiver is gone matters, not what else is lost there.
    auto& now = search_.path_[present_].current;
    now.seen.push_back(resource(place, part::entrance));
    for (auto which : {part::entrance, part::front})
      std::erase(now.resources, resource(place, which));
  }
  void attached(std::uint64_t place) override {
    if (happens())
      search_.path_[present_].current.seen.push_back(resource(place, part::life));
  }
  void died(std::uint64_t place) override {
    if (happens())
      touch(search_.path_[present_], resource(place, part::life));
  }
  void touched_all() override {
    if (happens())
      touch(search_.path_[present_], everything);
  }
  void spent(std::uint64_t key, std::uint64_t parent) override {
    auto by = occurrences_.find(parent);
    if (!is_lost_ && by != occurrences_.end())
      answer(by->second, {mix(key), {key}});
  }
  void time_passed() override {
    barrier_ = search_.run_.size();
    events_before_ = happened_.size();
  }

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

  void ended(const run_result&) override {
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

  /// Whether an event of the path happens, of which more can be told.
  bool happens() const noexcept { return !is_lost_ && depth_ > 0 && present_ < search_.path_.size(); }

  bool is_eager(const candidate& event) const noexcept {
    return !is_atomic_ && !search_.takes_are_events_ && event.kind == event_kind::handle &&
           !(memory_counts_ && event.shares_memory);
  }

  /// Where a message enters. As long as messages are handled as soon as they can be, urgent ones enter like others.
  part entrance_of(bool is_urgent) const noexcept {
    return is_urgent && (is_atomic_ || search_.takes_are_events_) ? part::front : part::entrance;
  }

  step as_step(const candidate& event) const {
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

  occurrence::overtaking overtaking(const candidate& event, std::size_t arrival) const {
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

  // Whether urgent mail could be handled before what is handled as soon as it can be: then this does not commute.
  void entered(std::uint64_t place, bool is_urgent, std::uint64_t after) {
    if (!is_urgent)
      last_mail_[place] = happened_.size() + 1;
    else if (!is_atomic_ && last_mail_[place] > std::max<std::uint64_t>(after, events_before_))
      search_.begins_anew_ = true;
  }
  void handled(const candidate& event) {
    if (!event.is_urgent)
      last_mail_[event.place] = happened_.size() + 1;
    else if (event.overtaken != 0)
      search_.begins_anew_ = true;
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
  std::size_t events_before_ = 0; // before the barrier
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, std::pair<const void*, step>> enabled_; // oldest first
  std::map<std::uint64_t, const void*> handles_;
  std::unordered_map<const void*, std::uint64_t> numbers_;
  std::unordered_map<std::uint64_t, std::size_t> occurrences_; // by identity
  std::unordered_map<std::uint64_t, causes> causes_;           // of what an event's handling has caused, by identity
  std::unordered_map<std::uint64_t, causes> handled_;          // by place
  std::unordered_map<std::uint64_t, std::uint64_t> takes_;     // by place, how many there were that are events
  std::unordered_map<std::uint64_t, std::uint64_t> last_mail_; // by place, the last event with mail that was not urgent
  std::unordered_map<std::uint64_t, std::uint64_t> questions_; // by identity of the event that asks
  std::vector<std::size_t> happened_;                          // occurrences so far, after each event
};

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
