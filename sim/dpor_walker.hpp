// How dpor runs a schedule. Not installed.
#pragma once
#include "sim/dpor_search.hpp"
#include "sim/random_source.hpp"
#include "sim/simulation_options.hpp"
#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

namespace troupe {

/// Follows the current path, then goes on with any event that is not asleep, and writes down what happens.
class dpor_search::walker final : public strategy {
public:
  explicit walker(dpor_search& search) noexcept
      : search_(search), memory_counts_(search.shared_ == memory::all_dependent), replayed_(search.path_.size()) {}

  void begins(order_model model) override { is_atomic_ = model == order_model::atomic; }
  bool is_watching() const noexcept override { return true; }
  bool wants_lives() const noexcept override { return true; }

  void enabled(const candidate& event) override;
  void withdrawn(const candidate& event) override;
  void happened(const candidate& event) override;
  void delivered(std::uint64_t place, std::uint64_t message, bool is_urgent) override;
  void touched(std::uint64_t place) override;
  void missed(std::uint64_t place) override;
  void attached(std::uint64_t place) override;
  void died(std::uint64_t place) override;
  void touched_all() override;
  void spent(std::uint64_t key, std::uint64_t parent) override;
  void time_passed() override {
    barrier_ = search_.run_.size();
    events_before_ = happened_.size();
  }

  std::size_t pick(decision_kind kind, const candidates& among) override;
  void ended(const run_result&) override;

private:
  /// What there is of each place, as resources. Entering a mailbox or lane is one thing, running there another, sending
  /// from there a third one, overtaking what waits there a fourth, and living there a fifth.
  enum class part : std::uint64_t { entrance = 1, inside = 2, life = 3, exit = 4, front = 5 };
  static std::uint64_t resource(std::uint64_t place, part which) noexcept {
    return mix(place, static_cast<std::uint64_t>(which));
  }

  /// Occurrences by their number, from 1; 0 for none.
  struct causes {
    std::size_t last = 0;  ///< What was handled last.
    std::size_t start = 0; ///< The start of the actor.
  };

  /// Whether an event of the path happens, of which more can be told.
  bool happens() const noexcept { return !is_lost_ && depth_ > 0 && present_ < search_.path_.size(); }
  bool is_eager(const candidate& event) const noexcept;
  /// Where a message enters. As long as messages are handled as soon as they can be, urgent ones enter like others.
  part entrance_of(bool is_urgent) const noexcept;
  step as_step(const candidate& event) const;
  static void touch(frame& by, std::uint64_t resource) {
    auto& all = by.current.resources;
    if (std::find(all.begin(), all.end(), resource) == all.end())
      all.push_back(resource);
  }

  // dpor_values.cpp
  std::size_t give(decision_kind kind, const candidates& among);
  /// What the present event is told. Values belong to the event during which they are asked for, which need not be the
  /// one that is handled: the start of an actor makes it handle what has arrived.
  std::uint64_t answer(std::size_t asker, value&& asked_now);
  static value question(std::uint64_t key, const candidates& among);
  /// Gives it the first value with which the event has not been explored yet.
  void skip_asleep(const frame& now, value& fresh);
  /// A value that no event asks for, but the test between two events, or time.
  std::size_t give_test(const candidates& among);

  /// What the frame before lets the next one begin with.
  std::vector<wakeup> begin_below() { return depth_ == 0 ? std::vector<wakeup>() : search_.path_[depth_ - 1].first; }

  void begin_frame();
  void note(frame& now, const candidate& event);
  occurrence::overtaking overtaking(const candidate& event, std::size_t arrival) const;

  // Whether urgent mail could be handled before what is handled as soon as it can be: then this does not commute.
  void entered(std::uint64_t place, bool is_urgent, std::uint64_t after);
  void handled(const candidate& event);

  void lose();

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

} // namespace troupe
