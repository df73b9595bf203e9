// Crashes of actors and nodes, what comes after them, and when they may happen.
#include "sim/engine.hpp"
#include "sim/random_source.hpp"
#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>

namespace troupe {
namespace {
constexpr std::uint64_t world_identity = 0x776f726c64ull;
} // namespace

// -- when ---------------------------------------------------------------------

bool sim_engine::may_crash(const entity& actor) const noexcept {
  // In a run with nodes the others are the test's own.
  return actor.is_actor && !actor.is_internal && !actor.is_spared && !actor.is_lost && !actor.awaits_start &&
         actor.anchor && (actor.node != 0 || !network_ || network_->nodes() == 1);
}

void sim_engine::add_crashes(std::vector<fault_choice>& choices, entity& actor) const {
  if (!may_crash(actor))
    return;
  if (options_.faults.crash != 0)
    choices.push_back({fault_kind::crash, actor.identity, actor.index});
  if (actor.node != 0 && options_.faults.node_crash != 0)
    choices.push_back({fault_kind::node_crash, actor.node, actor.node});
}

void sim_engine::faults_after(entity& actor, std::uint64_t identity) {
  const auto key = mix(identity, 1);
  if (present_->is_crashed) {
    carry_out({present_->crash, actor.identity, present_->crash == fault_kind::crash ? actor.index : actor.node}, key);
    return;
  }
  if (tearing_down_ || !actor.anchor || !actor.anchor->is_alive())
    return;
  std::vector<fault_choice> choices;
  add_crashes(choices, actor);
  if (actor.node != 0 && !actor.is_internal)
    add_partitions(choices, actor.node);
  if (auto* fault = decide_fault(key, identity, std::move(choices)))
    carry_out(*fault, fault->identity(key));
}

void sim_engine::faults_of_new_time() {
  if (tearing_down_ || !faults_->may_any())
    return;
  std::vector<fault_choice> choices;
  if (faults_->may(fault_kind::crash))
    for (auto& each : entities_)
      if (may_crash(each) && each.anchor->is_alive())
        choices.push_back({fault_kind::crash, each.identity, each.index});
  if (network_)
    for (std::uint32_t node = 1; node < network_->nodes(); ++node) {
      if (faults_->may(fault_kind::node_crash) && !network_->at(node).is_down)
        choices.push_back({fault_kind::node_crash, node, node});
      add_partitions(choices, node);
    }
  add_executor_crashes(choices);
  const auto key = mix(world_identity, static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  auto* fault = decide_fault(key, world_identity, std::move(choices));
  if (!fault)
    return;
  if (!world_) {
    world_ = &new_entity(world_identity);
    world_->name = "time";
  }
  // Everything that has happened is in its past.
  event_frame here{world_, key, 0, platform::background_lane, present_, ~std::uint64_t{0}};
  present_ = &here;
  carry_out(*fault, fault->identity(key));
  present_ = here.outer;
  pump(*world_);
}

void sim_engine::carry_out(const fault_choice& fault, std::uint64_t key) {
  switch (fault.kind) {
  case fault_kind::crash:
    crash_actor(entities_[fault.first]);
    break;
  case fault_kind::node_crash:
    crash_node(fault.first);
    break;
  case fault_kind::partition:
  case fault_kind::one_way:
    part(fault.first, fault.second, fault.kind == fault_kind::partition, key);
    break;
  case fault_kind::executor_crash:
    crash_executor(*busy_executors_().at(fault.first));
    break;
  default:
    break;
  }
}

void sim_engine::crash_actor(entity& actor) {
  tell(mix(present_->identity, actor.identity), present_->identity, actor, actor, "crash");
  // What it sends now, its monitors' news, is not lost.
  present_->is_cut_off = false;
  actor.is_lost = actor.is_refusing = true;
  awaits_no_more(actor);
  actor.anchor->crash(caf::sec::runtime_error);
  lose_mail(actor);
}

/// What it has not handled. Requests are refused if the actor does that.
void sim_engine::lose_mail(entity& actor) {
  if (actor.handling)
    withdraw(*std::exchange(actor.handling, nullptr));
  for (auto* waiting : {&actor.urgent_mail, &actor.mail, &actor.skipped})
    while (!waiting->empty()) {
      auto* p = waiting->pop_front();
      if (!actor.is_refusing)
        std::get<letter>(p->content).lose();
      free_parcel(p);
    }
}

void sim_engine::crash_node(std::uint32_t node) {
  present_->is_cut_off = false;
  auto& state = network_->at(node);
  if (state.is_down)
    return;
  state.is_down = true;
  for (auto& host : state.hosts)
    host->stop();
  for (std::size_t i = 0; i < entities_.size(); ++i) {
    auto& each = entities_[i];
    if (!each.is_actor || each.node != node || each.is_internal || each.is_lost || !each.anchor)
      continue;
    tell(mix(present_->identity, each.identity), present_->identity, each, each, "crash of its node " + state.name);
    each.is_lost = true;
    awaits_no_more(each);
    each.anchor->crash(caf::exit_reason::remote_link_unreachable);
    lose_mail(each);
  }
  touch_node(node);
  if (!state.hosts.empty())
    later(options_.faults.down_for, place_of_node(node), mix(present_->identity, 5), "restart", [this, node] {
      auto& restarted = network_->at(node);
      restarted.is_down = false;
      touch_node(node);
      for (std::size_t i = 0; i < restarted.hosts.size(); ++i)
        restarted.hosts[i]->start();
    });
}

void sim_engine::crash_node_now(std::uint32_t node) {
  network_changed();
  crash_node(node);
  pump_frames();
}

entity& sim_engine::open_door(std::uint32_t node, node_host& host) {
  auto& door = new_entity(mix(present_->identity, ++present_->effects));
  door.name = network_->at(node).name;
  door.node = node;
  door.is_door = true;
  door.door_of = &host;
  return door;
}

void sim_engine::pass_door(parcel& p) {
  auto& behind = p.to->door_of->present();
  if (!behind)
    return;
  auto& mail = std::get<letter>(p.content);
  mail.address_to(behind);
  --p.to->inbound;
  p.to = &actor_entity(mail, p.identity);
  ++p.to->inbound;
  if (is_watched_)
    tell_delivered(p);
}

bool sim_engine::spare(caf::actor_id actor) {
  for (auto& each : entities_)
    if (each.is_actor && each.actor_id == actor) {
      each.is_spared = true;
      return true;
    }
  return false;
}

// -- what happens later -------------------------------------------------------

entity& sim_engine::place_of_node(std::uint32_t node) {
  auto& state = network_->at(node);
  if (!state.place) {
    state.place = &new_entity(mix(world_identity, hash_of_text(state.name)));
    state.place->name = "node " + state.name;
    state.place->node = node;
  }
  return *state.place;
}

void sim_engine::later(platform::duration delay, entity& place, std::uint64_t identity, const char* what,
                       std::function<void()> act) {
  auto& p = effect();
  p.identity = identity;
  p.to = &place;
  p.content = fault_work{std::make_unique<std::function<void()>>(std::move(act)), what};
  const auto due = p.own_extras().due = now_ + delay;
  if (delay > platform::duration::zero())
    timers_.emplace(std::pair{due, ++last_timer_}, &p);
  else
    enable(p, event_kind::fault, place);
}

} // namespace troupe
