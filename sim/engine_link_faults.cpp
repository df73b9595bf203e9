// What may go wrong between nodes: messages that are lost, come twice or late, and nodes that are parted.
#include "sim/engine.hpp"
#include "sim/random_source.hpp"

namespace troupe {
namespace {
std::uint64_t pair_of(std::uint32_t a, std::uint32_t b) noexcept { return std::uint64_t{a} << 32 | b; }
} // namespace

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
  if (is_told())
    copy.own_extras().from_name = p.extras().from_name;
  copy.to = p.to;
  copy.is_urgent = p.is_urgent;
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
  const auto parent = present_->asker ? present_->asker : present_->identity;
  auto* fault = decide_fault(mix(p.identity, 1), parent, std::move(choices));
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

// -- links --------------------------------------------------------------------

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

/// What happens there depends on when this happens.
void sim_engine::touch(const entity& place) {
  if (is_watched_ && !tearing_down_ && present_->who != world_)
    order_.touched(place.identity);
}

void sim_engine::touch_node(std::uint32_t node) {
  for (auto& each : entities_)
    if ((each.is_actor || each.is_door) && each.node == node && &each != present_->who)
      touch(each);
}

} // namespace troupe
