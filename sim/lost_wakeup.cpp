// Lost wakeups: who waits for ever, and the signal that came before it waited.
#include "sim/lost_wakeup.hpp"
#include "sim/causality.hpp"
#include "sim/order_strategy.hpp"
#include "sim/shown_events.hpp"
#include "sim/text.hpp"
#include <algorithm>
#include <map>

namespace troupe {
namespace {

class wakeup_search {
public:
  wakeup_search(const runner& run, std::uint64_t seed, const recorded_run& failing, const race_options& options)
      : run_(run), seed_(seed), failing_(failing), options_(options), order_(failing.record),
        entries_(trace_entries(failing.record, failing.result.trace)) {}

  std::string operator()() {
    const auto all = by_their_ends();
    for (const bool is_direct : {false, true})
      for (const auto& [waiter, last] : all)
        if (auto text = lost_by(waiter, last, is_direct); !text.empty() || is_spent())
          return text;
    return {};
  }

private:
  bool is_spent() const noexcept { return runs_ >= options_.max_runs || steps_ >= options_.max_steps; }
  const candidate& event(std::size_t i) const { return failing_.record.events[i].what; }
  event_name name_at(std::size_t i) const { return {event(i).identity, event(i).kind}; }
  const trace_entry& entry(std::size_t i) const { return failing_.result.trace[entries_[i]]; }
  bool is_shown_handling(std::size_t i) const {
    return event(i).kind == event_kind::handle && entries_[i] != no_entry && !entry(i).internal;
  }
  /// 0 for the test itself.
  std::uint64_t sender_of(std::size_t i) const {
    const auto cause = order_.cause_of(i);
    return cause == no_entry ? 0 : event(cause).place;
  }

  /// Participants and their last events; who has been still for the shortest time first.
  std::vector<std::pair<std::uint64_t, std::size_t>> by_their_ends() const {
    std::map<std::uint64_t, std::size_t> last;
    for (std::size_t i = 0; i < failing_.record.events.size(); ++i)
      if (event(i).kind != event_kind::arrival && entries_[i] != no_entry && !entry(i).internal)
        last[event(i).place] = i;
    std::vector<std::pair<std::uint64_t, std::size_t>> result(last.begin(), last.end());
    std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    return result;
  }

  /// `is_direct`: the receiver is the waiter itself.
  std::string lost_by(std::uint64_t waiter, std::size_t last, bool is_direct) {
    // What it has said last, that was heard; before that it was not waiting yet.
    constexpr std::size_t most = 3;
    std::size_t tried = 0;
    for (auto b = failing_.record.events.size(); b-- > 0 && tried < most && !is_spent();) {
      if (!is_shown_handling(b) || (event(b).place == waiter) != is_direct)
        continue;
      if (is_direct ? b != last : sender_of(b) != waiter)
        continue;
      ++tried;
      if (!waits_after(waiter, b))
        break;
      if (auto text = lost_before(waiter, b); !text.empty())
        return text;
    }
    return {};
  }

  /// Whether all that the waiter still does after `b` follows from it.
  bool waits_after(std::uint64_t waiter, std::size_t b) const {
    std::vector<bool> follows(failing_.record.events.size());
    follows[b] = true;
    for (auto i = b + 1; i < follows.size(); ++i) {
      const auto cause = order_.cause_of(i);
      follows[i] = cause != no_entry && follows[cause];
      if (event(i).place == waiter && event(i).kind != event_kind::arrival && !follows[i])
        return false;
    }
    return true;
  }

  /// Whether the waiter has got a message of that kind, as people call it, after `b`.
  bool gets_after(std::uint64_t waiter, std::size_t b, const std::string& message) const {
    const auto kind_of = [](const std::string& what) {
      const auto text = message_text(what);
      return text.substr(0, text.find('('));
    };
    for (auto i = b + 1; i < failing_.record.events.size(); ++i)
      if (event(i).place == waiter && is_shown_handling(i) && kind_of(entry(i).what) == kind_of(message))
        return true;
    return false;
  }

  static bool causes(const event_record& record, std::uint64_t signal, std::uint64_t place) {
    return std::any_of(record.events.begin(), record.events.end(), [&](const recorded_event& each) {
      return each.what.parent == signal && (place == 0 || each.what.place == place);
    });
  }

  /// What the receiver of `b` had got of others before, and `b` does not depend on, without an effect on the waiter.
  std::vector<std::size_t> signals_before(std::uint64_t waiter, std::size_t b) const {
    const bool is_direct = event(b).place == waiter;
    const auto cause = order_.cause_of(b);
    const auto past = order_.past_of(cause == no_entry ? std::vector<std::size_t>() : std::vector{cause});
    std::vector<std::size_t> result;
    for (std::size_t i = std::min<std::size_t>(event(b).after, b); i < b; ++i)
      if (is_shown_handling(i) && event(i).place == event(b).place && !past[i] && sender_of(i) != sender_of(b) &&
          !causes(failing_.record, event(i).identity, is_direct ? 0 : waiter))
        result.push_back(i);
    return result;
  }

  std::string lost_before(std::uint64_t waiter, std::size_t b) {
    const auto signals = signals_before(waiter, b);
    if (signals.empty())
      return {};
    order_strategy order(failing_.record, failing_.result.model);
    for (auto each : signals) {
      order.hold(event(each).identity, name_at(b));
      // Where mail arrives as it is sent, what sends it has to come later.
      if (const auto cause = order_.cause_of(each); failing_.result.model == order_model::atomic && cause != no_entry)
        order.hold(event(cause).identity, name_at(b));
    }
    const auto other = run_recorded(run_, seed_, order, true);
    ++runs_;
    steps_ += other.result.steps;
    if (other.result.is_failure() || !order.kept_its_holds())
      return {};
    for (auto each : signals)
      if (auto text = proven(waiter, b, each, other); !text.empty())
        return text;
    return {};
  }

  /// What the signal does in the run that passes.
  std::string proven(std::uint64_t waiter, std::size_t b, std::size_t signal, const recorded_run& other) const {
    const auto entries = trace_entries(other.record, other.result.trace);
    const auto place_of = [&](event_name name) {
      std::size_t at = 0;
      while (at < other.record.events.size() &&
             event_name{other.record.events[at].what.identity, other.record.events[at].what.kind} != name)
        ++at;
      return at;
    };
    const auto told = place_of(name_at(b)), came = place_of(name_at(signal));
    if (told >= came || came == other.record.events.size())
      return {};
    if (event(b).place == waiter) {
      const bool observed = entries[came] != no_entry && other.result.trace[entries[came]].observes;
      // An answer is no waking: then it is the sender who waits, and it has asked too early.
      const bool is_effective =
          std::any_of(other.record.events.begin(), other.record.events.end(), [&](const recorded_event& each) {
            return each.what.parent == event(signal).identity && each.what.place != sender_of(signal);
          });
      if (!is_effective && (!observed || entry(signal).observes))
        return {};
      return "lost wakeup: " + one_line(entry(b).to) + " waits for " + label_of(signal) + ", which came (" +
             number_of(signal) + ") before " + label_of(b) + " (" + number_of(b) +
             ") and had no effect; in the other order it has, and the run passes (it was run)";
    }
    for (auto i = came + 1; i < other.record.events.size(); ++i) {
      const auto& what = other.record.events[i].what;
      if (what.kind == event_kind::arrival || what.parent != event(signal).identity || what.place != waiter ||
          entries[i] == no_entry)
        continue;
      const auto& woken = other.result.trace[entries[i]];
      if (gets_after(waiter, b, woken.what))
        continue; // The signal was kept for it.
      return "lost wakeup: " + one_line(woken.to) + " waits for " + one_line(message_text(woken.what)) + "; " +
             label_of(signal) + " came to " + one_line(entry(b).to) + " (" + number_of(signal) + ") before " +
             label_of(b) + " of " + one_line(woken.to) + " (" + number_of(b) +
             ") and did not wake it; in the other order it does, and the run passes (it was run)";
    }
    return {};
  }

  std::string label_of(std::size_t i) const { return one_line(message_text(entry(i).what)); }
  std::string number_of(std::size_t i) const { return std::to_string(entries_[i] + 1); }

  const runner& run_;
  std::uint64_t seed_;
  const recorded_run& failing_;
  const race_options& options_;
  causality order_;
  std::vector<std::size_t> entries_;
  std::uint64_t runs_ = 0;
  std::uint64_t steps_ = 0;
};

} // namespace

std::string find_lost_wakeup(const runner& run, std::uint64_t seed, const recorded_run& failing,
                             const race_options& options) {
  const auto end = failing.result.end;
  if (failing.record.events.empty() || (end != verdict::deadlock && end != verdict::liveness))
    return {};
  return wakeup_search(run, seed, failing, options)();
}

} // namespace troupe
