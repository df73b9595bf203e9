// The stages: where the list has the fifth event from now, the parcel of the fourth one, what the third one is about,
// where its receiver keeps the behaviour that handles the second one, and the behaviour that handles the first one.
#include "sim/look_ahead.hpp"
#include "platform/prefetch.hpp"
#include <array>

namespace troupe {
namespace {

void prefetch_beginning(const void* object) noexcept {
  if (!object)
    return;
  platform::prefetch(object);
  platform::prefetch(static_cast<const char*>(object) + 64);
}

/// Of its letter, if it is the handling of one. Whatever the parcel stands for by now, what it holds is whole.
const letter* handled(const parcel& p) noexcept {
  return p.kind == event_kind::handle ? std::get_if<letter>(&p.content) : nullptr;
}

void prefetch_what_it_is_about(const parcel& p) noexcept {
  prefetch_beginning(p.kind == event_kind::arrival ? p.from : p.to);
  if (auto* mail = handled(p))
    mail->prefetch();
}

/// Where the last of some picks stands now, if each event that happens enables one other, which comes last.
template <std::size_t Size>
std::size_t index_now(const std::array<std::size_t, Size>& picks) noexcept {
  auto index = picks.back();
  for (auto i = Size - 1; i-- > 0;)
    index += index >= picks[i];
  return index;
}

} // namespace

void look_ahead::prefetch(const event_list& enabled, const strategy& order) noexcept {
  first_ = second_;
  if (first_)
    if (auto* mail = handled(*first_))
      mail->prefetch_behavior();
  second_ = third_;
  if (second_)
    if (auto* mail = handled(*second_))
      mail->prefetch_behavior_stack();
  third_ = fourth_;
  if (third_)
    prefetch_what_it_is_about(*third_);
  auto* fourth = fifth_ ? enabled.in_slot(*fifth_) : nullptr;
  fourth_ = fourth ? &parcel_of(*fourth) : nullptr;
  if (fourth_)
    prefetch_beginning(fourth_);
  fifth_.reset();
  std::array<std::size_t, 5> picks;
  if (!order.foresees(enabled.size() + 1, picks))
    return;
  if (const auto fifth = index_now(picks); fifth < enabled.size()) {
    fifth_ = enabled.slot_of(fifth);
    enabled.prefetch_slot(*fifth_);
  }
}

} // namespace troupe
