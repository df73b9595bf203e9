// How an actor tells the simulator what its state is: the one customisation point for everything that looks at states.
#pragma once
#include "actors/caf_compat.hpp"
#include <caf/deep_to_string.hpp>
#include <caf/fwd.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace troupe {

namespace detail {
/// Whether a simulated run of that system goes on, on this thread.
bool is_simulated(caf::actor_system& system) noexcept;
void expose_state(caf::scheduled_actor& self, std::function<std::string()> read);

template <class T>
std::string state_text(const T& state) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>)
    return std::string{std::string_view{state}};
  else
    return caf::deep_to_string(state);
}
} // namespace detail

/// Tells a simulated run how to read the state of `self`: `expose_state(self, [self] { return self->text(); })`. `read`
/// returns text, or a hash, or anything else that CAF can print. Traces and reports show it (`trace_entry::state`); the
/// strategy `ql` and the detection of lassos take two states for the same if they print the same: so it should tell
/// everything that what the actor does next depends on, and no addresses.
///
/// Called by the actor itself, when it starts or later; the last call counts. `read` is called after an event of the
/// actor and only while it lives, on the run's thread; it may look and do nothing else (no sends, no choices). What it
/// captures must not keep the actor alive. Does nothing outside of a simulated run.
template <class Actor, class Read>
requires std::is_invocable_v<Read&>
void expose_state(Actor* self, Read read) {
  if (detail::is_simulated(self->home_system()))
    detail::expose_state(*self, [read = std::move(read)]() mutable { return detail::state_text(read()); });
}

/// The same for a state that CAF can print (by an `inspect`, a `to_string`, or because it knows the type): a member of
/// the actor, or something else that lives as long as it does.
template <class Actor, class State>
requires(!std::is_invocable_v<const State&>) void expose_state(Actor* self, const State& state) {
  if (detail::is_simulated(self->home_system()))
    detail::expose_state(*self, [&state] { return detail::state_text(state); });
}
template <class Actor, class State>
requires(!std::is_invocable_v<State&>) void expose_state(Actor* self, const State&& state) =
    delete; // it would not live as long as the actor

/// The same for the state of a `caf::stateful_actor`.
template <class Actor>
void expose_state(Actor* self) {
  expose_state(self, std::as_const(state_of(*self)));
}

} // namespace troupe
