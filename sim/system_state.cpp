// The state of a whole run as a hash: what actors expose, and what is on its way to them.
#include "sim/engine.hpp"
#include "sim/random_source.hpp"

namespace troupe {
namespace {

std::uint64_t origin_of(const parcel& p) noexcept {
  const auto known = p.extras().origin;
  return known ? known : p.identity;
}

} // namespace

void sim_engine::happened_unseen(std::uint64_t identity) noexcept { unseen_ = mix(unseen_, identity); }

std::uint64_t sim_engine::type_of(parcel& p) const {
  auto& known = p.own_extras().content_type;
  if (known == 0)
    known = std::get<letter>(p.content).content_type() | 1;
  return known;
}

std::uint64_t sim_engine::hash_of(parcel& p) const {
  auto& known = p.own_extras().content_hash;
  if (known == 0) {
    auto& mail = std::get<letter>(p.content);
    auto text = mail.describe();
    // What cannot be printed is what its sender made of what it knew.
    auto said =
        text.find("<unprintable>") == std::string::npos ? hash_of_text(text) : mix(p.identity, p.extras().origin);
    known = mix(mix(type_of(p), said), mix(mail.sender_id(), mail.request_number() != 0)) | 1;
  }
  return known;
}

std::uint64_t sim_engine::hash_of(const parcel_queue& queue, state_detail detail) const {
  std::uint64_t hash = 0;
  for (auto* p = queue.front(); p; p = p->next) {
    if (!std::holds_alternative<letter>(p->content))
      hash = mix(hash, p->identity);
    else
      hash = mix(hash, mix(p->to->identity, detail == state_detail::exact ? hash_of(*p) : type_of(*p)));
  }
  return hash;
}

std::uint64_t sim_engine::state_hash(state_detail detail) {
  const bool exact = detail == state_detail::exact;
  std::uint64_t sum = exact ? unseen_ : 0;
  // Added up, so that it does not matter where they are stored.
  for (auto& each : entities_) {
    if (each.is_free)
      continue;
    auto hash = each.state || exact ? each.state : each.last_type;
    const parcel_queue* queues[] = {&each.urgent_mail, &each.mail, &each.skipped, &each.outbox};
    for (auto* queue : queues)
      hash = queue->empty() && hash == 0 ? 0 : mix(hash, hash_of(*queue, detail));
    if (exact && each.awaits_start)
      hash = mix(hash, 1);
    if (hash != 0)
      sum += mix(each.identity, hash);
  }
  if (!exact)
    return sum;
  for (auto& [when, p] : timers_)
    sum += mix(static_cast<std::uint64_t>((p->extras().due - now_).count()), origin_of(*p));
  if (network_)
    for (auto& [key, each] : network_->channels()) // added up, so that their order does not matter
      if (!each.messages.empty())
        sum += mix(key, hash_of(each.messages, detail));
  for (auto& lane : lanes_)
    for (auto& queue : lane.queued)
      for (auto* p = queue.front(); p; p = p->next)
        sum += mix(p->identity);
  for (std::size_t i = 0; i < enabled_.size(); ++i) {
    auto& p = parcel_of(enabled_.at(i));
    if (p.kind == event_kind::timer) {
      sum += mix(0, origin_of(p));
    } else if (p.is_in_transit) {
      if (!p.extras().through)
        sum += mix(p.to->identity, hash_of(p));
    } else if (p.kind != event_kind::handle && p.kind != event_kind::arrival) {
      sum += mix(p.identity);
    }
  }
  return sum;
}

std::uint64_t sim_engine::oldest_enabled_since() const noexcept {
  return enabled_.size() == 0 ? result_.steps : enabled_.at(0).since;
}

bool sim_engine::awaits_time() const noexcept {
  for (auto& [when, p] : timers_)
    if (!std::get<lane_work>(p->content).work->info().housekeeping)
      return true;
  return false;
}

} // namespace troupe
