// What the run knows of its actors' states.
#include "sim/actor_state.hpp"
#include "actors/errors.hpp"
#include "sim/engine.hpp"
#include "sim/random_source.hpp"
#include "sim/simulator.hpp"

namespace troupe {

bool detail::is_simulated(caf::actor_system& system) noexcept {
  auto* sim = simulator::current();
  return sim && &sim->caf() == &system;
}

void detail::expose_state(caf::scheduled_actor& self, std::function<std::string()> read) {
  simulator::current()->expose_state(hosted_actor{&self}, std::move(read));
}

void sim_engine::expose_state(const hosted_actor& actor, std::function<std::string()> read) {
  if (!tearing_down_)
    readers_.insert_or_assign(actor.id(), state_reader{std::move(read)});
}

void sim_engine::read_state(entity& actor, std::uint64_t identity, const hosted_actor& hosted,
                            std::optional<std::size_t> entry) {
  if (tearing_down_ || (readers_.empty() && !reads_states_))
    return;
  auto known = readers_.find(actor.actor_id);
  if (!hosted.is_alive()) {
    // Whatever it is sent from now on, it stays as it is.
    actor.state = 0;
    if (known != readers_.end())
      readers_.erase(known);
    return;
  }
  if (known == readers_.end()) {
    if (reads_states_)
      happened_unseen(identity);
    return;
  }
  auto& reader = known->second;
  // Read once at least, so that a state that cannot be read is found in every run, with a trace or without.
  if (!entry && !reads_states_ && reader.was_read)
    return;
  reader.was_read = true;
  std::string text;
  try {
    text = reader.read();
  } catch (...) {
    fail(verdict::exception, "reading the state that actor " + hosted.name() + "#" + std::to_string(hosted.id()) +
                                 " exposes threw: " + describe(std::current_exception()));
    return;
  }
  if (text.find("<unprintable>") != std::string::npos)
    fail(verdict::failed, "actor " + hosted.name() + "#" + std::to_string(hosted.id()) +
                              " exposes a state that CAF cannot print: give its type an inspect or a to_string, or "
                              "give expose_state a function that returns text. It prints as: " +
                              text);
  if (reads_states_)
    actor.state = hash_of_text(text) | 1;
  if (entry)
    result_.trace[*entry].state = std::move(text);
}

} // namespace troupe
