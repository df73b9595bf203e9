// Compares what is attached to each actor with what was.
#include "sim/life_watch.hpp"

namespace troupe {

void life_watch::born(const newborn& actor, std::uint64_t identity) {
  actor_anchor anchor(actor);
  if (const auto attachments = anchor.attachments())
    lives_.push_back({std::move(anchor), actor.id(), identity, *attachments});
}

void life_watch::after_event(std::uint64_t identity) {
  std::erase_if(lives_, [&](life& each) {
    const auto attachments = each.anchor.attachments();
    if (!attachments) {
      dead_[each.id] = {each.identity, identity};
      told_.died(each.identity);
    } else if (*attachments != each.attachments) {
      each.attachments = *attachments;
      told_.attached(each.identity);
    }
    return !attachments;
  });
}

std::uint64_t life_watch::heard_of(caf::actor_id who) const {
  auto known = dead_.find(who);
  if (known == dead_.end())
    return 0;
  told_.attached(known->second.identity);
  return known->second.event;
}

} // namespace troupe
