// What could influence what in a run: the happens-before relation of its events, and the part of it that matters.
#pragma once
#include "sim/event_record.hpp"
#include <vector>

namespace troupe {

/// Happens-before (Lamport 1978) over a recorded run: each event after the one that caused it, the handling of a
/// message after its arrival, and whatever runs at one place in its order there. Events are called by their place in
/// the record, which must outlive this.
class causality {
public:
  /// What connects events beside messages.
  enum class memory : std::uint8_t {
    apart,  ///< Nothing: only messages count.
    shared, ///< Steps of tasks and timers, which may share memory, and what observed monitors, in their order.
  };
  /// `observers`: the events that touched a monitor of the run, ordered among themselves if memory is shared.
  explicit causality(const event_record& record, memory how = memory::apart, std::vector<std::size_t> observers = {});

  /// The events that one of `ends` could depend on, `ends` included.
  std::vector<bool> past_of(const std::vector<std::size_t>& ends) const;
  /// The event in which `event` was caused; `no_entry` for what the test itself caused.
  std::size_t cause_of(std::size_t event) const noexcept { return causes_[event]; }

private:
  const event_record& record_;
  std::vector<std::size_t> causes_;
  std::vector<std::vector<std::size_t>> before_; ///< The direct predecessors of each event.
};

} // namespace troupe
