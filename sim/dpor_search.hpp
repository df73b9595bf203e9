// Optimal dynamic partial order reduction: one schedule for every outcome.
#pragma once
#include "sim/decision.hpp"
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace troupe {

/// Optimal DPOR with wakeup trees (Abdulla, Aronis, Jonsson, Sagonas: Optimal Dynamic Partial Order Reduction, POPL
/// 2014; Source Sets, JACM 2017), for mailboxes. Two schedules are equivalent if every actor handles the same messages
/// in the same order. Events are dependent if they enter the same mailbox or lane or, where sends are out at once, run
/// at the same actor or send to the same one; messages are handled as soon as they can be, which commutes with all
/// else. Time passes only when nothing else can happen, so nothing is reordered across that.
///
/// Urgent mail overtakes what waits. Once a schedule has shown that it may, the search begins anew, and that an actor
/// takes its next message, whichever that is, is an event: dependent on the arrival of urgent mail, unless urgent mail
/// was there already.
///
/// That an actor ends is a change that whoever monitors it or links to it sees, before or after. A crash of an executor
/// depends on everything.
///
/// Values (what the program chooses, how long something takes, which fault happens) belong to the event that asks for
/// them: an event with other values is another event, which excludes the first one. A wakeup sequence names its events
/// with their values, so that no value is tried again where it leads to nothing new.
///
/// Handlers of CAF actors are taken to interact by messages alone, and so are steps of tasks unless it is told
/// otherwise.
class dpor_search {
public:
  /// What sharing of memory counts as: steps of tasks, timers, and Troupe's own actors interact by messages alone, or
  /// each of them with each other one.
  enum class memory { messages_only, all_dependent };
  explicit dpor_search(memory shared = memory::messages_only);
  ~dpor_search();
  /// The strategy of the next schedule, or null when all have been run. The one before must have ended. It must not be
  /// destroyed before the search.
  std::unique_ptr<strategy> next();
  /// Schedules that turned out to be equivalent to an earlier one: 0, as is proven for the algorithm, but for a few
  /// where somebody crashes. Who has crashed is not asked what those before are asked, and the tasks of an executor
  /// that has crashed have other events.
  std::uint64_t blocked() const noexcept { return blocked_; }
  /// Schedules of before it began anew, which do not count: others are equivalent to them. 0 without urgent mail.
  std::uint64_t discarded() const noexcept { return discarded_; }
  /// True once a schedule did not repeat the picks before the change: the program depends on something else. On CAF 1
  /// also if it has met a fault.
  bool proves_nothing() const noexcept { return diverged_ || is_partial_; }
  /// How much has been covered of what is known of so far, in [0, 1]: races that are found later lower it. 1 if and
  /// only if complete.
  double covered() const noexcept;

private:
  class walker;
  /// One value that an event asked for.
  struct value {
    std::uint64_t key = 0;              ///< Which question.
    std::vector<std::uint64_t> offered; ///< The first one is what happens unless it is decided otherwise.
    std::size_t given = 0;
    std::size_t asker = 0; ///< The occurrence whose handling asks, in this run.
    bool is_fixed = false; ///< Planned so; otherwise one after the other is tried.
    std::uint64_t answer() const noexcept { return offered[given]; }
  };
  using values = std::vector<value>;
  /// An event as the search compares it: across schedules.
  struct step {
    std::uint64_t id = 0;
    std::uint64_t actor = 0;
    std::vector<std::uint64_t> resources; ///< What it changes: dependent on whoever changes or sees the same.
    std::vector<std::uint64_t> seen;      ///< What it sees and leaves as it is.
    values asked;
    /// In a plan: an actor takes another message than it took where this was seen, so that what it asks for is not
    /// known.
    bool is_open = false;
    /// It is not known either where it sends to.
    bool is_everywhere = false;
  };
  /// A node of a wakeup tree; children in order.
  struct wakeup {
    step what;
    std::vector<wakeup> below;
  };
  /// One decision on the current path: which event happens with which values, or which value the test is given.
  struct frame {
    bool is_value = false;
    std::size_t index = 0; ///< Values of the test: the one given now, out of `count`.
    std::size_t count = 0;
    step current;
    std::size_t answered = 0;    ///< Values given so far, in this run.
    std::vector<step> sleep;     ///< Explored already, or independent of what has been since.
    std::vector<wakeup> pending; ///< To be explored after `current`.
    std::vector<wakeup> first;   ///< What the part below `current` begins with.
    std::size_t explored = 0;
  };
  /// An event of the current schedule with its past.
  struct occurrence {
    std::size_t frame = 0;
    std::uint64_t actor = 0;
    std::uint32_t sequence = 0;       ///< Among the actor's events, from 1.
    std::size_t barrier = 0;          ///< All occurrences before this one are in its past.
    std::vector<std::uint32_t> clock; ///< Per actor, how many of its events are in its past, itself included.
    std::vector<std::size_t> direct;  ///< Occurrences that it follows directly.
    std::vector<std::size_t> rivals;  ///< Of these the ones that it follows only because they touch the same.
    /// The taking of urgent mail.
    struct overtaking {
      std::size_t arrival = 0; ///< Of the urgent mail.
      bool is_something_waiting = false;
      std::optional<std::size_t> waiting; ///< What brought the first other mail that waits, or comes later.
      std::uint64_t entrance = 0;         ///< As a resource: where other mail comes in.
      step instead;                       ///< The taking of the other mail.
    };
    std::optional<overtaking> overtook;
  };

  static bool dependent(const step& a, const step& b) noexcept;
  static bool same_values(const values& a, const values& b) noexcept;
  /// Whether `known`, which agree in their first `depth` values, are all that there are.
  static bool are_complete(const std::vector<const values*>& known, std::size_t depth);
  /// The values with which `event` is among `known`. @returns whether that is all of them
  static bool covers_all(const std::vector<step>& known, std::uint64_t event,
                         std::vector<const values*>* with = nullptr);
  /// Whether all that begins with `sequence` has been explored by what is asleep.
  static bool is_asleep(const std::vector<step>& asleep, const std::vector<const step*>& sequence);
  bool give_next(frame& last);
  static void fix(step& planned) noexcept;
  /// Whether it has been explored with some of its values only.
  static bool is_partial(const step& explored) noexcept;
  bool precedes(const occurrence& earlier, std::size_t earlier_index, const occurrence& later) const noexcept;
  void order_occurrences();
  void find_races();
  void reverse_overtaking(std::size_t take);
  void reverse(std::size_t earlier, std::size_t later, const step* instead);
  void insert(frame& at, std::vector<std::size_t> sequence, const step* instead);
  static bool is_explored(const frame& at, const wakeup& planned);
  bool backtrack();

  const memory shared_;
  std::vector<frame> path_;
  std::vector<occurrence> run_;
  std::unordered_map<std::uint64_t, std::size_t> actor_index_;
  std::uint64_t blocked_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t discarded_ = 0;
  bool started_ = false;
  bool finished_ = false;
  bool diverged_ = false;
  bool is_partial_ = false;
  bool takes_are_events_ = false;
  bool begins_anew_ = false;
};

} // namespace troupe
