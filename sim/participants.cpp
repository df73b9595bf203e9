// The engine's bookkeeping: who takes part, what is on its way, and what that enables.
#include "sim/engine.hpp"
#include "sim/random_source.hpp"
#include <algorithm>

namespace troupe {

// -- storage ------------------------------------------------------------------

entity& sim_engine::new_entity(std::uint64_t identity) {
  if (spare_entities_.empty()) {
    auto& fresh = entities_.emplace_back();
    fresh.index = static_cast<std::uint32_t>(entities_.size() - 1);
    spare_entities_.push_back(&fresh);
  }
  auto& e = *spare_entities_.back();
  spare_entities_.pop_back();
  e.identity = identity;
  e.is_actor = e.awaits_start = e.is_lane = e.is_port = e.is_running = e.is_internal = e.is_lost = e.is_refusing =
      e.is_spared = false;
  e.node = 0;
  e.inbound = 0;
  e.key = nullptr;
  e.actor_id = 0;
  e.name.clear();
  e.history = 0;
  e.state = e.last_type = e.awaits = 0;
  e.has_ended = false;
  e.is_free = false;
  e.anchor.reset();
  e.door_of = nullptr;
  return e;
}

void sim_engine::free_entity(entity& gone) noexcept {
  ++gone.generation;
  gone.is_free = true;
  spare_entities_.push_back(&gone);
}

void sim_engine::free_if_idle(entity& task) noexcept {
  if (!task.is_actor && !task.is_running && task.outbox.empty() && !task.held)
    free_entity(task);
}

entity& sim_engine::actor_entity(const hosted_actor& actor, std::uint64_t identity) {
  auto& slot = actors_[actor.key()];
  if (!slot) {
    slot = &new_entity(identity);
    slot->is_actor = true;
    slot->key = actor.key();
    slot->actor_id = actor.id();
    slot->is_internal = actor.is_internal();
    slot->node = present_->who->node;
  }
  return *slot;
}

entity& sim_engine::task_entity(platform::runnable& work, std::uint64_t identity) {
  auto index = static_cast<std::uint32_t>(work.dispatcher_slot);
  auto generation = static_cast<std::uint32_t>(work.dispatcher_slot >> 32);
  if (index != 0 && index <= entities_.size() && entities_[index - 1].generation == generation)
    return entities_[index - 1];
  auto& fresh = new_entity(identity);
  fresh.node = present_->who->node;
  work.dispatcher_slot = (std::uint64_t{fresh.generation} << 32) | (fresh.index + 1);
  return fresh;
}

parcel& sim_engine::new_parcel() {
  if (!spare_parcels_)
    return parcels_.emplace_back();
  auto& p = *std::exchange(spare_parcels_, spare_parcels_->next);
  p.next = nullptr;
  return p;
}

void sim_engine::free_parcel(parcel* gone) noexcept {
  if (std::holds_alternative<letter>(gone->content))
    --gone->to->inbound;
  gone->content = std::monostate{};
  gone->to = nullptr;
  gone->from_name.clear();
  gone->is_epilogue = false;
  gone->timer = 0;
  gone->content_type = gone->content_hash = gone->origin = 0;
  gone->next = spare_parcels_;
  spare_parcels_ = gone;
}

// -- effects ------------------------------------------------------------------

parcel& sim_engine::effect() {
  auto& p = new_parcel();
  p.parent = present_->identity;
  p.after = result_.steps == present_->began ? 0 : result_.steps;
  p.identity = mix(present_->identity, ++present_->effects);
  p.from = present_->who;
  if (reads_states_)
    p.origin = present_->cause ? mix(present_->cause, present_->effects) : p.identity;
  if (is_told())
    p.from_name = present_->who->name;
  return p;
}

void sim_engine::post(parcel& p) { p.from->outbox.push_back(&p); }

void sim_engine::sent(letter mail) {
  auto& p = effect();
  if (auto port = mail.direct_receiver()) {
    send(p, *ports_.at(port), std::move(mail));
    return;
  }
  if (network_ && mail.request_number() != 0)
    open_port(mail.sender_id(), p.identity);
  auto& to = actor_entity(mail, p.identity);
  note_request(mail, to);
  if (auto* ended = ended_sender(mail)) {
    p.from = ended;
    if (is_told())
      p.from_name = ended->name;
  }
  send(p, to, std::move(mail));
}

entity* sim_engine::ended_sender(const letter& mail) {
  auto known = ended_.empty() ? ended_.end() : ended_.find(mail.sender_id());
  if (known == ended_.end())
    return nullptr;
  auto* sender = known->second;
  if (network_ || !sender->outbox.empty())
    return sender;
  ended_.erase(known);
  return nullptr;
}

void sim_engine::sent_to_door(entity& door, letter mail) {
  if (!is_foreign() && !tearing_down_)
    send(effect(), door, std::move(mail));
}

void sim_engine::send(parcel& p, entity& to, letter mail) {
  p.to = &to;
  ++to.inbound;
  p.content = std::move(mail);
  if (present_->is_cut_off && !tearing_down_) {
    lose(p, "never sent: ");
    return;
  }
  if (network_ && !tearing_down_)
    if (auto* via = network_->between(*p.from, *p.to)) {
      transmit(p, *via);
      return;
    }
  post(p);
}

void sim_engine::launched(newborn actor) {
  auto& p = effect();
  anchors_.emplace_back(actor);
  auto known = actors_.find(actor.key());
  // An actor that lived at this address before is gone, or nobody could be born there.
  if (known != actors_.end())
    actors_.erase(known);
  p.to = &actor_entity(actor, p.identity);
  p.to->awaits_start = true;
  if (faults_ || network_)
    p.to->anchor = anchors_.back();
  p.content = std::move(actor);
  post(p);
}

void sim_engine::moved_in(hosted_actor actor) {
  actors_.erase(actor.key()); // As above.
  actor_entity(actor, mix(present_->identity, ++present_->effects));
}

void sim_engine::pump(entity& sender) {
  while (auto* p = sender.outbox.front()) {
    auto* work = std::get_if<lane_work>(&p->content);
    if (std::holds_alternative<newborn>(p->content)) {
      sender.outbox.pop_front();
      enable(p->ready, event_kind::start, *p->to, *p, p);
    } else if (work && work->lane == platform::background_lane) {
      // Entering a lane without order commutes with everything: no decision.
      sender.outbox.pop_front();
      enable_step(*p);
    } else if (options_.model == order_model::atomic) {
      auto* first = sender.outbox.pop_front();
      if (is_watched_ && &sender != outside_.who && !tearing_down_ && !first->to->is_lost)
        tell_delivered(*first);
      arrive(first);
    } else {
      break;
    }
  }
  if (auto* first = sender.outbox.front()) {
    if (!sender.arrival.is_enabled())
      enable(sender.arrival, event_kind::arrival, *first->to, *first, &sender);
    return;
  }
  if (sender.held && !sender.is_running) {
    auto* next = std::exchange(sender.held, nullptr);
    enable(next->ready, event_kind::step, sender, *next, next);
  }
  if (sender.is_actor)
    refresh(sender);
}

void sim_engine::pump_frames() {
  for (auto* f = present_; f; f = f->outer)
    pump(*f->who);
}

void sim_engine::arrive(parcel* p) {
  if (auto* mail = std::get_if<letter>(&p->content)) {
    if (p->to->door_of && !tearing_down_)
      pass_door(*p);
    if (p->to->is_lost || p->to->door_of) {
      miss(*p);
      return;
    }
    if (p->to->is_port) {
      answer(*p);
      return;
    }
    (mail->is_urgent() ? p->to->urgent_mail : p->to->mail).push_back(p);
    refresh(*p->to);
    return;
  }
  auto& work = std::get<lane_work>(p->content);
  auto* lane = find_lane(work.lane);
  auto which = static_cast<std::size_t>(work.urgency);
  lane->queued[which].push_back(p);
  enable_head(*lane, which);
}

// -- what can happen next -----------------------------------------------------

void sim_engine::enable(event& e, event_kind kind, const entity& place, const parcel& cause, void* subject) {
  e.kind = kind;
  e.place = place.identity;
  // Of two pieces of work that are queued in one lane, or two timers, either may be next.
  if (kind == event_kind::arrival)
    e.actor = !e.is_in_transit ? cause.from->identity : cause.through ? cause.through->identity : cause.identity;
  else
    e.actor = place.is_lane || kind == event_kind::timer ? cause.identity : place.identity;
  e.identity = cause.identity;
  e.parent = cause.parent;
  e.after = cause.after;
  e.shares_memory = kind == event_kind::step || kind == event_kind::timer || place.is_port ||
                    (kind == event_kind::handle && place.is_internal);
  auto* mail = is_watched_ ? std::get_if<letter>(&cause.content) : nullptr;
  e.content = mail ? mail->content_type() : 0;
  // What was set aside waits among the others, urgent or not.
  const bool is_handling = kind == event_kind::handle;
  e.is_urgent = is_handling ? !static_cast<entity*>(subject)->urgent_mail.empty() : mail && mail->is_urgent();
  e.overtaken = 0;
  e.since = result_.steps;
  e.subject = subject;
  enabled_.push_back(e);
  if (is_watched_ && !tearing_down_)
    order_.enabled(e.as_candidate());
}

void sim_engine::withdraw(event& e) {
  if (is_watched_ && !tearing_down_)
    order_.withdrawn(e.as_candidate());
  enabled_.erase(e);
}

void sim_engine::refresh(entity& actor) {
  auto* first = actor.urgent_mail.empty() ? actor.mail.front() : actor.urgent_mail.front();
  if (!first || actor.is_running || actor.awaits_start || !actor.outbox.empty())
    return;
  if (!actor.handle.is_enabled()) {
    enable(actor.handle, event_kind::handle, actor, *first, &actor);
  } else if (actor.handle.identity != first->identity) { // urgent mail has overtaken
    if (is_watched_ && !tearing_down_)
      order_.withdrawn(actor.handle.as_candidate());
    actor.handle.identity = first->identity;
    actor.handle.parent = first->parent;
    actor.handle.is_urgent = true;
    if (is_watched_ && !tearing_down_)
      order_.enabled(actor.handle.as_candidate());
  }
  auto* waiting = actor.mail.front();
  actor.handle.overtaken = actor.handle.is_urgent && waiting ? waiting->identity : 0;
}

void sim_engine::tell_delivered(const parcel& p) {
  auto* mail = std::get_if<letter>(&p.content);
  order_.delivered(p.to->identity, p.identity, mail && mail->is_urgent());
}

void sim_engine::enable_step(parcel& p) {
  auto& task = task_entity(*std::get<lane_work>(p.content).work, p.identity);
  if (task.is_running || !task.outbox.empty())
    task.held = &p;
  else
    enable(p.ready, event_kind::step, task, p, &p);
}

void sim_engine::enable_head(serial_lane& lane, std::size_t priority) {
  auto* first = lane.queued[priority].front();
  if (first && !lane.is_busy && !first->ready.is_enabled())
    enable(first->ready, event_kind::step, *lane.place, *first, first);
}

sim_engine::serial_lane* sim_engine::find_lane(platform::lane where) noexcept {
  return where.number >= 1 && where.number <= lanes_.size() ? &lanes_[where.number - 1] : nullptr;
}

// -- the end ------------------------------------------------------------------

void sim_engine::drop_parcel(parcel* p) noexcept {
  if (p->ready.is_enabled())
    enabled_.erase(p->ready);
  if (p->timer)
    timers_by_number_.erase(p->timer);
  auto content = std::move(p->content);
  p->content = std::monostate{};
  if (auto* work = std::get_if<lane_work>(&content))
    work->work->drop();
}

void sim_engine::run_out() {
  // A failed run may hold actors that never stop sending, and many runs of it are made to explain it.
  std::uint64_t left = is_over() ? std::clamp<std::uint64_t>(2 * result_.steps, 1'000, 10'000) : 1'000'000;
  pump_frames();
  while (left > 0 && step())
    --left;
}

void sim_engine::end_all() {
  if (std::exchange(has_ended_all_, true))
    return;
  begin_teardown();
  if (network_)
    for (std::uint32_t node = 0; node < network_->nodes(); ++node)
      network_->at(node).hosts.clear(); // their addresses are actors of the system
  run_out();
  for (auto& anchor : anchors_)
    anchor.kill();
  run_out();
  // Who awaits a response looks at nothing else, not even at a kill, and holds on to whom it knows.
  for (auto& anchor : std::exchange(anchors_, {}))
    anchor.crash(caf::exit_reason::kill);
  run_out();
  stopped_ = true;
  timers_.clear();
  // Dropping work or mail may cause further mail (an actor that ends tells its monitors), but no further work.
  for (bool dropped = true; dropped;) {
    dropped = false;
    for (std::size_t i = 0; i < parcels_.size(); ++i)
      if (!std::holds_alternative<std::monostate>(parcels_[i].content)) {
        drop_parcel(&parcels_[i]);
        dropped = true;
      }
  }
}

} // namespace troupe
