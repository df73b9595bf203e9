// Has the events that will be picked next brought into the cache.
#pragma once
#include "sim/entity.hpp"
#include <optional>

namespace troupe {

/// Where thousands of events are enabled, the one that is picked was touched long ago, and so was all that it is about:
/// its parcel, its actor, its message. One leads to the other, and each would be waited for in turn. A random strategy
/// knows its next numbers: so what it is going to pick is brought closer stage by stage, one stage with each event that
/// happens. If the number of enabled events changes the guess may be off by one or two. Then nothing is lost but time.
class look_ahead {
public:
  /// An event happens, and is not in the list any more.
  void advance(const event_list& enabled, const strategy& order) noexcept {
    if (enabled.size() >= worthwhile)
      prefetch(enabled, order);
    else
      *this = {};
  }
  /// The next event, if the guess is right: it may have been another one, that is not even enabled.
  parcel* first() const noexcept { return first_; }

private:
  static constexpr std::size_t worthwhile = 1024; ///< Fewer are in the cache anyway.
  void prefetch(const event_list& enabled, const strategy& order) noexcept;

  parcel* first_ = nullptr; ///< The next event.
  parcel* second_ = nullptr;
  parcel* third_ = nullptr;
  parcel* fourth_ = nullptr;
  std::optional<std::size_t> fifth_; ///< Its slot.
};

} // namespace troupe
