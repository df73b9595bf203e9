// Repeating a recorded order of events, as far as it can be had, with some of them held back.
#pragma once
#include "sim/event_record.hpp"
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace troupe {

/// Lets events happen in a recorded order. What is not in the record happens when the next recorded event is not
/// enabled, and so does, after that, the earliest recorded event that is. An event that is held back happens only if
/// nothing else can. All of it works by the names of events, not by positions: in a run that differs from the recorded
/// one whatever is the same keeps its order.
class order_strategy final : public strategy {
public:
  /// Names an event, the same way for the recorded one and the one of this run; 0: it is in no record.
  using naming = std::function<std::uint64_t(const candidate& event)>;

  /// `order` must outlive the strategy. `model`: as in `tape_strategy`. Without `recorded` and `current` events are
  /// named by identity and kind.
  explicit order_strategy(const event_record& order, std::optional<order_model> model = {}, naming recorded = {},
                          naming current = {});

  /// Holds back every event with this identity until `until` has happened.
  void hold(std::uint64_t identity, event_name until);
  /// Holds back this recorded event, by its place in the record, to the end.
  void drop(std::size_t index) { is_dropped_[index] = true; }

  std::optional<order_model> wanted_model() const noexcept override { return model_; }
  bool is_watching() const noexcept override { return true; }
  bool repeats_input() const noexcept override { return true; }
  std::size_t pick(decision_kind kind, const candidates& among) override;
  void enabled(const candidate& event) override;
  void withdrawn(const candidate& event) override;
  void happened(const candidate& event) override;

  /// Whether nothing has happened that was to be held back then.
  bool kept_its_holds() const noexcept { return !has_broken_; }
  /// Events that have happened and are not in the record.
  std::uint64_t unknown() const noexcept { return unknown_; }
  /// Recorded events, by place, that have not happened.
  std::vector<std::size_t> missing() const;

private:
  enum class standing : std::uint8_t { expected, unknown, held };
  struct known_event {
    standing how = standing::unknown;
    std::uint64_t rank = 0; ///< Among those of the same standing.
    std::uint64_t name = 0;
    std::size_t place = no_entry; ///< In the record.
  };

  std::map<std::uint64_t, const void*>& queue(standing how) { return queues_[static_cast<std::size_t>(how)]; }
  void stand(const void* key, known_event& event, standing how);
  void release(std::uint64_t identity);
  std::optional<known_event> forget(const void* key);
  std::size_t pick_value(decision_kind kind, const candidates& among);
  bool is_next_enabled();

  const event_record& order_;
  std::optional<order_model> model_;
  naming current_;
  std::vector<bool> is_dropped_;
  std::vector<bool> is_done_;
  std::vector<bool> is_given_up_; ///< Awaited for long enough.
  std::size_t next_ = 0;
  std::unordered_map<std::uint64_t, std::set<std::size_t>> places_; ///< Per name, those that are not enabled or done.
  std::unordered_map<const void*, known_event> events_;
  std::map<std::uint64_t, const void*> queues_[3]; ///< By standing, in order.
  std::unordered_map<std::uint64_t, event_name> holds_;
  std::unordered_map<std::uint64_t, std::vector<const void*>> held_; ///< Per identity.
  std::uint64_t arrived_ = 0;
  std::uint64_t unknown_ = 0;
  std::uint64_t in_gap_ = 0;
  bool has_broken_ = false;
  std::uint64_t present_ = 0; ///< Identity of the event that happens.
  std::uint64_t during_ = 0;  ///< The one that it has in the record; 0: it is not there.
  std::unordered_map<std::uint64_t, std::deque<std::size_t>> values_; ///< Per event during which they were drawn.
  std::size_t drawn_ = 0;
};

} // namespace troupe
