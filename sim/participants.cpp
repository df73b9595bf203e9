// The engine's bookkeeping: who takes part, what is on its way, and what that enables.
#include "sim/engine.hpp"
#include "sim/random_source.hpp"
#include <algorithm>
#include <cassert>

namespace troupe {
namespace {

/// Of whom it is a step that the message arrives: of its channel, if there must be one after the other there.
std::uint64_t identity_in_transit(const parcel& p) noexcept {
  const auto* through = p.extras().through;
  return through ? through->identity : p.identity;
}

} // namespace

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
      e.is_spared = e.is_door = false;
  e.node = 0;
  e.inbound = 0;
  e.actor_id = 0;
  e.name.clear();
  e.history = 0;
  e.state = e.last_type = e.awaits = 0;
  e.has_ended = false;
  e.is_free = false;
  e.anchor.reset();
  e.door_of = nullptr;
  e.handling = nullptr;
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

entity* sim_engine::known_actor(caf::actor_id actor) const noexcept {
  return actor < actors_.size() ? actors_[actor] : nullptr;
}

entity& sim_engine::actor_entity(const hosted_actor& actor, std::uint64_t identity) {
  const auto id = actor.id();
  if (auto* known = known_actor(id))
    return *known;
  if (id >= actors_.size())
    actors_.resize(static_cast<std::size_t>(id) + 1);
  auto& fresh = new_entity(identity);
  fresh.is_actor = true;
  fresh.actor_id = id;
  fresh.is_internal = actor.is_internal();
  fresh.node = present_->who->node;
  actors_[id] = &fresh;
  return fresh;
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
  assert(!gone->is_enabled());
  if (std::holds_alternative<letter>(gone->content))
    --gone->to->inbound;
  gone->content.emplace<std::monostate>();
  gone->to = nullptr;
  gone->is_urgent = gone->is_epilogue = gone->has_extras = false;
  gone->next = spare_parcels_;
  spare_parcels_ = gone;
}

// -- effects ------------------------------------------------------------------

parcel& sim_engine::effect() { return effect(++present_->effects); }

parcel& sim_engine::effect(std::uint32_t number) {
  auto& p = new_parcel();
  p.parent = present_->identity;
  p.after = result_.steps == present_->began ? 0 : result_.steps;
  p.identity = mix(present_->identity, number);
  p.from = present_->who;
  if (reads_states_)
    p.own_extras().origin = present_->cause ? mix(present_->cause, number) : p.identity;
  if (is_told())
    p.own_extras().from_name = present_->who->name;
  return p;
}

void sim_engine::post(parcel& p) { p.from->outbox.push_back(&p); }

void sim_engine::sent(letter mail) {
  // The news that somebody has ended long ago must not count among what the event does anyway: others would have
  // another identity then.
  const auto gone = mail.tells_of_end_of();
  const bool is_late_news = gone != 0 && gone != present_->who->actor_id;
  constexpr std::uint32_t apart = 1u << 31;
  auto& p = effect(is_late_news ? apart + ++present_->news : ++present_->effects);
  present_->asker = is_late_news && lives_ && present_ != &outside_ ? lives_->heard_of(gone) : 0;
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
      p.own_extras().from_name = ended->name;
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

void sim_engine::send(parcel& p, entity& to, letter&& mail) {
  p.to = &to;
  ++to.inbound;
  p.is_urgent = mail.is_urgent();
  p.content.emplace<letter>(std::move(mail));
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
  p.to = &actor_entity(actor, p.identity);
  p.to->awaits_start = true;
  if (lives_)
    lives_->born(actor, p.to->identity);
  if (faults_ || network_)
    p.to->anchor = anchors_.back();
  p.content = std::move(actor);
  post(p);
}

void sim_engine::moved_in(hosted_actor actor) { actor_entity(actor, mix(present_->identity, ++present_->effects)); }

void sim_engine::pump(entity& sender) {
  while (auto* p = sender.outbox.front()) {
    auto* work = std::get_if<lane_work>(&p->content);
    if (std::holds_alternative<newborn>(p->content)) {
      sender.outbox.pop_front();
      enable(*p, event_kind::start, *p->to);
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
    if (!first->is_enabled())
      enable(*first, event_kind::arrival, *first->to);
    return;
  }
  if (sender.is_actor)
    refresh(sender);
  else if (sender.held && !sender.is_running)
    enable(*std::exchange(sender.held, nullptr), event_kind::step, sender);
}

void sim_engine::pump_frames() {
  for (auto* f = present_; f; f = f->outer)
    pump(*f->who);
}

void sim_engine::arrive(parcel* p) {
  if (std::holds_alternative<letter>(p->content)) {
    if (p->to->is_door && !tearing_down_)
      pass_door(*p);
    if (p->to->is_lost || p->to->is_door) {
      miss(*p);
      return;
    }
    if (p->to->is_port) {
      answer(*p);
      return;
    }
    (p->is_urgent ? p->to->urgent_mail : p->to->mail).push_back(p);
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

void sim_engine::enable(parcel& p, event_kind kind, const entity& place) {
  make_event(p, kind, place);
  p.since = result_.steps;
  enabled_.push_back(p);
  if (is_watched_ && !tearing_down_)
    order_.enabled(p.as_candidate());
}

void sim_engine::make_event(parcel& p, event_kind kind, const entity& place) {
  p.kind = kind;
  p.place = place.identity;
  // Of two pieces of work that are queued in one lane, or two timers, either may be next.
  if (kind == event_kind::arrival)
    p.actor = p.is_in_transit ? identity_in_transit(p) : p.from->identity;
  else
    p.actor = place.is_lane || kind == event_kind::timer ? p.identity : place.identity;
  p.shares_memory = kind == event_kind::step || kind == event_kind::timer || place.is_port ||
                    (kind == event_kind::handle && place.is_internal);
  auto* mail = is_watched_ ? std::get_if<letter>(&p.content) : nullptr;
  p.message_type = mail ? mail->content_type() : 0;
  // What was set aside waits among the others, urgent or not.
  p.overtakes = kind == event_kind::handle ? !place.urgent_mail.empty() : p.is_urgent;
  p.overtaken = 0;
}

void sim_engine::withdraw(parcel& p) {
  if (is_watched_ && !tearing_down_)
    order_.withdrawn(p.as_candidate());
  enabled_.erase(p);
}

void sim_engine::refresh(entity& actor) {
  auto* first = actor.urgent_mail.empty() ? actor.mail.front() : actor.urgent_mail.front();
  if (!first || actor.is_running || actor.awaits_start || !actor.outbox.empty())
    return;
  auto* before = std::exchange(actor.handling, first);
  if (!before) {
    enable(*first, event_kind::handle, actor);
  } else if (before != first) { // Urgent mail has overtaken: it takes the turn of the other one.
    if (is_watched_ && !tearing_down_)
      order_.withdrawn(before->as_candidate());
    make_event(*first, event_kind::handle, actor);
    first->since = before->since;
    enabled_.replace(*before, *first);
    if (is_watched_ && !tearing_down_)
      order_.enabled(first->as_candidate());
  }
  if (is_watched_ && first->overtakes)
    first->overtaken = actor.mail.empty() ? 0 : actor.mail.front()->identity;
}

void sim_engine::tell_delivered(const parcel& p) { order_.delivered(p.to->identity, p.identity, p.is_urgent); }

void sim_engine::enable_step(parcel& p) {
  auto& task = task_entity(*std::get<lane_work>(p.content).work, p.identity);
  if (task.is_running || !task.outbox.empty())
    task.held = &p;
  else
    enable(p, event_kind::step, task);
}

void sim_engine::enable_head(serial_lane& lane, std::size_t priority) {
  auto* first = lane.queued[priority].front();
  if (first && !lane.is_busy && !first->is_enabled())
    enable(*first, event_kind::step, *lane.place);
}

serial_lane* sim_engine::find_lane(platform::lane where) noexcept {
  return where.number >= 1 && where.number <= lanes_.size() ? &lanes_[where.number - 1] : nullptr;
}

// -- the end ------------------------------------------------------------------

void sim_engine::drop_parcel(parcel* p) noexcept {
  if (p->is_enabled())
    enabled_.erase(*p);
  if (const auto timer = p->extras().timer)
    timers_by_number_.erase(timer);
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
