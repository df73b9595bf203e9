// What the engine tells of a run: hashes of its order, and its trace.
#include "sim/engine.hpp"
#include "sim/random_source.hpp"
#include "sim/run_progress.hpp"
#include <cstdio>

namespace troupe {

void sim_engine::note(entity& place, std::uint64_t identity, event_kind kind) {
  if (tearing_down_)
    return;
  result_.trace_hash = mix(result_.trace_hash, identity ^ static_cast<std::uint64_t>(kind));
  if (kind == event_kind::arrival || kind == event_kind::start)
    return;
  if (place.history)
    result_.outcome_hash -= mix(place.history);
  place.history = mix(place.history, identity);
  result_.outcome_hash += mix(place.history);
}

std::optional<std::size_t> sim_engine::trace(event_kind kind, const parcel& p, const entity& to, std::string what) {
  if (tearing_down_ || !is_told())
    return std::nullopt;
  const auto& from_name = p.extras().from_name;
  trace_entry entry{.identity = p.identity,
                    .parent = p.parent,
                    .kind = kind,
                    .from = from_name.empty() ? p.from->name : from_name, // an actor gets its name while it starts
                    .to = to.name,
                    .what = std::move(what),
                    .internal = to.is_internal,
                    .time = now_ - epoch,
                    .state = {}};
  if (run_progress::watched)
    run_progress::watched->describe_event(std::string(to_string(kind)) + " " + entry.from + " -> " + entry.to + " " +
                                          entry.what);
  if (options_.log_operations)
    std::fprintf(stderr, "%6llu %-8s %s -> %s %s\n", static_cast<unsigned long long>(result_.steps), to_string(kind),
                 entry.from.c_str(), entry.to.c_str(), entry.what.c_str());
  if (!options_.trace)
    return std::nullopt;
  result_.trace.push_back(std::move(entry));
  return result_.trace.size() - 1;
}

void sim_engine::learn_name(entity& actor, const hosted_actor& hosted, std::optional<std::size_t> entry) {
  if (!is_told() || (!hosted.is_alive() && !actor.name.empty()))
    return;
  actor.name = name_of(hosted);
  if (entry)
    result_.trace[*entry].to = actor.name;
}

} // namespace troupe
