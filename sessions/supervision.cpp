// Restart intensity, strategies and backoff.
#include "sessions/supervision.hpp"
#include <algorithm>

namespace troupe {

platform::duration backoff_delay(const backoff_options& options, unsigned attempt, double random) noexcept {
  auto max = static_cast<double>(options.max.count());
  auto delay = std::min(static_cast<double>(options.initial.count()), max);
  for (unsigned i = 1; i < attempt && delay < max; ++i)
    delay = std::min(delay * std::max(options.factor, 1.0), max);
  delay *= 1.0 + std::clamp(options.jitter, 0.0, 1.0) * (2.0 * random - 1.0);
  return platform::duration{static_cast<platform::duration::rep>(std::clamp(delay, 0.0, max))};
}

void restart_window::forget_before(platform::time_point now) {
  while (!restarts_.empty() && now - restarts_.front() >= window_)
    restarts_.pop_front();
}

bool restart_window::admit(platform::time_point now) {
  forget_before(now);
  if (restarts_.size() >= max_)
    return false;
  restarts_.push_back(now);
  return true;
}

unsigned restart_window::count(platform::time_point now) {
  forget_before(now);
  return static_cast<unsigned>(restarts_.size());
}

restart_policy::restart_policy(supervision_options options)
    : options_(options), window_(options.max_restarts, options.window) {}

std::size_t restart_policy::add(restart when) {
  children_.push_back({when});
  return children_.size() - 1;
}

restart_decision restart_policy::ended(std::size_t which, bool failed, platform::time_point now, double random) {
  auto& ended = children_.at(which);
  ended.running = false;
  restart_decision decision;
  if (ended.when == restart::temporary || (ended.when == restart::transient && !failed)) {
    ended.finished = true;
    return decision;
  }
  if (!window_.admit(now)) {
    decision.action = restart_decision::escalate;
    return decision;
  }
  decision.action = restart_decision::restart_children;
  decision.delay = backoff_delay(options_.backoff, window_.count(now), random);
  auto first = options_.strategy == supervision_strategy::one_for_all ? 0 : which;
  auto last = options_.strategy == supervision_strategy::one_for_one ? which + 1 : children_.size();
  for (auto i = last; i-- > first;)
    if (children_[i].running)
      decision.to_stop.push_back(i);
  // A sibling that was taken down with the others comes back whatever its kind, except a temporary one.
  for (auto i = first; i < last; ++i)
    if (i == which || (!children_[i].finished && children_[i].when != restart::temporary))
      decision.to_start.push_back(i);
  for (auto i : decision.to_stop)
    if (children_[i].when == restart::temporary)
      children_[i].finished = true;
  return decision;
}

} // namespace troupe
