// How the engine lets things go wrong: what may happen when, and what it does.
#include "sim/engine.hpp"
#include "sim/random_source.hpp"
#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>

namespace troupe {
namespace {

constexpr std::uint64_t world_identity = 0x776f726c64ull;

std::uint64_t text_hash(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325ull; // FNV-1a
  for (char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return hash;
}

std::uint64_t identity_of(std::uint64_t key, const fault_choice& fault) noexcept {
  return mix(mix(key, static_cast<std::uint64_t>(fault.kind) + 1), fault.target);
}

std::uint64_t pair_of(std::uint32_t a, std::uint32_t b) noexcept { return std::uint64_t{a} << 32 | b; }

} // namespace

// -- decisions ----------------------------------------------------------------

const fault_choice* sim_engine::decide_fault(std::uint64_t key, std::uint64_t parent,
                                             std::vector<fault_choice>&& choices) {
  if (choices.empty() || tearing_down_ || is_over() || has_no_faults_left_)
    return nullptr;
  std::erase_if(choices, [this](auto& each) { return !faults_->may(each.kind); });
  if (choices.empty()) {
    if (is_watched_)
      order_.spent(key, parent);
    return nullptr;
  }
  struct faults final : candidates {
    std::size_t size() const noexcept override { return choices->size() + 1; }
    candidate operator[](std::size_t index) const noexcept override {
      return {.identity = index == 0 ? key : identity_of(key, (*choices)[index - 1]), .parent = parent};
    }
    const std::vector<fault_choice>* choices = nullptr;
    std::uint64_t key = 0, parent = 0;
  };
  faults among;
  among.choices = &choices;
  among.key = key;
  among.parent = parent;
  ++result_.fault_opportunities;
  auto index = faults_->draws() ? faults_->draw(among.size()) : order_.pick(decision_kind::fault, among);
  if (index >= among.size()) {
    fail(verdict::failed, "the strategy picked " + std::to_string(index) + " of " + std::to_string(among.size()));
    index = 0;
  }
  result_.decisions.push_back({decision_kind::fault, static_cast<std::uint32_t>(index),
                               static_cast<std::uint32_t>(among.size()), among[index].identity});
  if (index == 0)
    return nullptr;
  faults_->spend(choices[index - 1].kind);
  ++result_.faults;
  note_fault(among[index].identity);
  return &choices[index - 1];
}

/// Faults have no place in the order of what happens at one actor, but a run with other faults is another one.
void sim_engine::note_fault(std::uint64_t identity) {
  result_.trace_hash = mix(result_.trace_hash, identity);
  result_.outcome_hash += mix(identity);
}

void sim_engine::tell(std::uint64_t identity, std::uint64_t parent, const entity& from, const entity& to,
                      std::string what) {
  if (tearing_down_ || !is_told())
    return;
  parcel told;
  told.identity = identity;
  told.parent = parent;
  told.from = const_cast<entity*>(&from);
  trace(event_kind::fault, told, to, std::move(what));
}

// -- messages -----------------------------------------------------------------

void sim_engine::lose(parcel& p, const char* why) {
  auto& mail = std::get<letter>(p.content);
  if (is_told())
    tell(mix(p.identity, 3), p.parent, *p.from, *p.to, why + mail.describe());
  mail.lose();
  free_parcel(&p);
}

parcel& sim_engine::copy_of(const parcel& p) {
  auto& copy = new_parcel();
  copy.identity = mix(p.identity, 2);
  copy.parent = p.parent;
  copy.after = p.after;
  copy.from = p.from;
  copy.from_name = p.from_name;
  copy.to = p.to;
  ++copy.to->inbound;
  copy.content = std::get<letter>(p.content).duplicate();
  return copy;
}

sim_engine::message_fault sim_engine::fault_of_message(parcel& p) {
  std::vector<fault_choice> choices;
  for (auto kind : {fault_kind::drop, fault_kind::duplicate, fault_kind::delay})
    if (options_.faults.of(kind) != 0)
      choices.push_back({kind});
  // Whoever crashes between two sends does so for those who see the messages.
  if (present_->who == p.from && present_->who->is_actor)
    add_crashes(choices, *present_->who);
  auto* fault = decide_fault(mix(p.identity, 1), present_->identity, std::move(choices));
  if (!fault)
    return message_fault::none;
  switch (fault->kind) {
  case fault_kind::drop:
    lose(p, "lost: ");
    return message_fault::lost;
  case fault_kind::duplicate:
    return message_fault::twice;
  case fault_kind::delay:
    return message_fault::late;
  default:
    present_->is_crashed = present_->is_cut_off = true;
    present_->crash = fault->kind;
    lose(p, "never sent: ");
    return message_fault::lost;
  }
}

// -- crashes ------------------------------------------------------------------

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

void sim_engine::add_partitions(std::vector<fault_choice>& choices, std::uint32_t node) {
  for (std::uint32_t other = 1; other < network_->nodes(); ++other) {
    if (other == node)
      continue;
    // Both have part in it: the first one is where it is decided.
    if (options_.faults.partition != 0 && node < other && !network_->is_cut(node, other) &&
        !network_->is_cut(other, node))
      choices.push_back({fault_kind::partition, pair_of(node, other), node, other});
    if (options_.faults.one_way != 0 && !network_->is_cut(node, other))
      choices.push_back({fault_kind::one_way, pair_of(node, other), node, other});
  }
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
    carry_out(*fault, identity_of(key, *fault));
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
  const auto key = mix(world_identity, static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  auto* fault = decide_fault(key, world_identity, std::move(choices));
  if (!fault)
    return;
  if (!world_) {
    world_ = &new_entity(world_identity);
    world_->name = "time";
  }
  // Everything that has happened is in its past.
  frame here{world_, key, 0, platform::background_lane, present_, ~std::uint64_t{0}};
  present_ = &here;
  carry_out(*fault, identity_of(key, *fault));
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
  if (actor.handle.is_enabled())
    withdraw(actor.handle);
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
    order_.delivered(p.to->identity);
}

bool sim_engine::spare(caf::actor_id actor) {
  for (auto& each : entities_)
    if (each.is_actor && each.actor_id == actor) {
      each.is_spared = true;
      return true;
    }
  return false;
}

// -- links --------------------------------------------------------------------

void sim_engine::part(std::uint32_t a, std::uint32_t b, bool both_ways, std::uint64_t key) {
  const auto change = [this, a, b, both_ways](bool is_cut) {
    for (auto [from, to] : {std::pair{a, b}, std::pair{b, a}})
      if (from == a || both_ways) {
        if (is_cut)
          network_->cut(from, to);
        else
          network_->mend(from, to);
        touch_node(from);
      }
  };
  change(true);
  const auto names = network_->at(a).name + (both_ways ? " and " : " to ") + network_->at(b).name;
  tell(key, present_->identity, *present_->who, *present_->who, "parted: " + names);
  if (options_.faults.parted_for > platform::duration::zero())
    later(options_.faults.parted_for, place_of_node(a), mix(key, 7), "healed", [change] { change(false); });
}

void sim_engine::network_changed() {
  if (is_watched_ && !tearing_down_)
    order_.time_passed();
}

/// What happens at the actors of the node depends on when this happens.
void sim_engine::touch_node(std::uint32_t node) {
  if (!is_watched_ || tearing_down_ || present_->who == world_)
    return;
  for (auto& each : entities_)
    if ((each.is_actor || each.door_of) && each.node == node && &each != present_->who)
      order_.touched(each.identity);
}

entity& sim_engine::place_of_node(std::uint32_t node) {
  auto& state = network_->at(node);
  if (!state.place) {
    state.place = &new_entity(mix(world_identity, text_hash(state.name)));
    state.place->name = "node " + state.name;
    state.place->node = node;
  }
  return *state.place;
}

// -- what happens later -------------------------------------------------------

void sim_engine::later(platform::duration delay, entity& place, std::uint64_t identity, const char* what,
                       std::function<void()> act) {
  auto& p = effect();
  p.identity = identity;
  p.to = &place;
  p.content = fault_work{std::make_unique<std::function<void()>>(std::move(act)), what};
  p.due = now_ + delay;
  if (delay > platform::duration::zero())
    timers_.emplace(std::pair{p.due, ++last_timer_}, &p);
  else
    enable(p.ready, event_kind::fault, place, p, &p);
}

// -- the program's own --------------------------------------------------------

bool sim_engine::passes_fault_point(std::string_view name) {
  if (!faults_ || is_foreign() || options_.faults.point == 0)
    return false;
  const auto key = mix(mix(present_->identity, text_hash(name)), ++present_->questions);
  if (!decide_fault(key, present_->identity, {fault_choice{fault_kind::point}}))
    return false;
  tell(key, present_->identity, *present_->who, *present_->who, "fault: " + std::string(name));
  return true;
}

bool sim_engine::passes_crash_point(std::string_view name) {
  if (!faults_ || is_foreign() || !present_->who->is_actor || present_->is_crashed)
    return false;
  std::vector<fault_choice> choices;
  add_crashes(choices, *present_->who);
  const auto key = mix(mix(present_->identity, text_hash(name)), ++present_->questions);
  auto* fault = decide_fault(key, present_->identity, std::move(choices));
  if (!fault)
    return false;
  present_->is_crashed = true;
  present_->crash = fault->kind;
  tell(key, present_->identity, *present_->who, *present_->who, "crash at " + std::string(name));
  return true;
}

bool sim_engine::refuses(const platform::runnable& work) {
  if (options_.faults.reject == 0 || tearing_down_ || !work.info().is_new)
    return false;
  const auto key = mix(mix(present_->identity, 11), ++present_->questions);
  if (!decide_fault(key, present_->identity, {fault_choice{fault_kind::reject}}))
    return false;
  if (is_told()) {
    auto info = work.info();
    tell(key, present_->identity, *present_->who, *present_->who,
         "refused: task '" + std::string(info.label) + "' by its executor");
  }
  return true;
}

void sim_engine::lose_task(platform::runnable& work, entity& task, std::uint64_t identity) {
  if (options_.faults.lose == 0 || tearing_down_ || std::string_view{work.info().kind} != "task")
    return;
  const auto key = mix(identity, 13);
  if (!decide_fault(key, identity, {fault_choice{fault_kind::lose}}))
    return;
  tell(key, identity, task, task, "loses its thread");
  // Whoever waits for it is told by this step, before anything that its code does.
  constexpr std::uint32_t apart = 1u << 30;
  frame here{&task, identity, apart, platform::background_lane, present_, result_.steps};
  present_ = &here;
  work.lose();
  present_ = here.outer;
}

void sim_engine::check_faults() {
  if (!faults_ || is_over() || result_.faults != 0)
    return;
  const auto& given = options_.faults;
  const bool has_nodes = network_ && network_->nodes() > 1;
  const char* needed = nullptr;
  if (given.drop + given.duplicate + given.delay != 0 && (!network_ || network_->messages == 0))
    needed = "no message of this run goes from one node to another: put actors on nodes (simulator::node), or choose "
             "the order model network";
  else if (given.node_crash + given.partition + given.one_way != 0 && !has_nodes)
    needed = "this run has no nodes: put actors on nodes (simulator::node)";
  if (needed)
    fail(verdict::failed, "nothing can come of the faults " + to_text(given) + ": " + needed);
}

} // namespace troupe
