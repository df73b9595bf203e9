// What lies between the nodes of a run, and how the engine brings messages across.
#include "sim/network.hpp"
#include "sim/engine.hpp"
#include "sim/random_source.hpp"
#include "sim/text.hpp"
#include <algorithm>
#include <stdexcept>

namespace troupe {

network::network(order_model model)
    : is_order_within_(model == order_model::local || model == order_model::atomic), within_{.order = model} {
  nodes_.emplace_back(); // the test's
  if (model == order_model::unordered)
    all_.order = model;
}

std::uint32_t network::node_named(std::string_view name) {
  if (name.empty())
    throw std::invalid_argument("a node needs a name");
  for (std::uint32_t number = 1; number < nodes_.size(); ++number)
    if (nodes_[number].name == name)
      return number;
  nodes_.emplace_back().name = name;
  return nodes() - 1;
}

std::uint32_t network::known_node(std::string_view name) const {
  std::vector<std::string> names;
  for (std::uint32_t number = 1; number < nodes_.size(); ++number) {
    if (nodes_[number].name == name)
      return number;
    names.push_back(nodes_[number].name);
  }
  throw std::invalid_argument(unknown_name("node", name, names));
}

void network::change_all_links(const std::function<void(link_settings&)>& change) {
  change(all_);
  for (auto& [between, settings] : links_)
    change(settings);
}

void network::mend(std::uint32_t from, std::uint32_t to) {
  auto known = cuts_.find(key(from, to));
  if (known != cuts_.end() && --known->second == 0)
    cuts_.erase(known);
}

void network::set_cut_by_test(std::uint32_t from, std::uint32_t to, bool is_cut) {
  if (std::exchange(cut_by_test_[key(from, to)], is_cut) == is_cut)
    return;
  if (is_cut)
    cut(from, to);
  else
    mend(from, to);
}

link_settings& network::link(std::uint32_t from, std::uint32_t to) {
  return links_.try_emplace(key(from, to), all_).first->second;
}

channel& network::channel_between(const entity& from, const entity& to) {
  auto identity = mix(from.identity, to.identity);
  auto& found = channels_[identity];
  found.identity = identity;
  return found;
}

// -- the engine's part --------------------------------------------------------

network& sim_engine::use_network() {
  if (!network_)
    network_ = std::make_unique<network>(options_.model);
  return *network_;
}

void sim_engine::open_port(caf::actor_id port, std::uint64_t identity) {
  auto& asker = *present_->who;
  if (asker.is_actor || asker.is_lane || present_ == &outside_ || tearing_down_)
    return;
  auto& known = ports_[port];
  if (known)
    return;
  known = &new_entity(mix(identity, 19));
  known->is_port = true;
  known->node = asker.node;
  known->name = asker.name;
}

bool sim_engine::carries(caf::actor_id receiver) {
  if (!network_ || tearing_down_)
    return false;
  auto port = ports_.find(receiver);
  return port != ports_.end() && network_->between(*present_->who, *port->second);
}

void sim_engine::transmit(parcel& p, const link_settings& via) {
  ++network_->messages;
  if (network_->is_cut(p.from->node, p.to->node)) {
    lose(p, "lost, as they are parted: ");
    return;
  }
  auto latency = via.latency_min;
  if (via.latency_max > via.latency_min)
    latency += (via.latency_max - via.latency_min) / 3 *
               static_cast<platform::duration::rep>(decide_value(decision_kind::delay, 4));
  bool is_in_order = via.order != order_model::unordered;
  if (faults_)
    switch (fault_of_message(p)) {
    case message_fault::none:
      break;
    case message_fault::lost:
      return;
    case message_fault::late:
      latency += options_.faults.delayed_by;
      break;
    case message_fault::twice:
      // A copy is what somebody has sent again: it may be later than what was sent next.
      send_off(copy_of(p), latency, false);
      break;
    }
  send_off(p, latency, is_in_order);
}

void sim_engine::send_off(parcel& p, platform::duration latency, bool is_in_order) {
  auto& own = p.own_extras();
  own.due = now_ + latency;
  own.through = nullptr;
  if (is_in_order) {
    own.through = &network_->channel_between(*p.from, *p.to);
    own.due = own.through->last_due = std::max(own.due, own.through->last_due);
    own.through->messages.push_back(&p);
  }
  if (own.due > now_)
    timers_.emplace(std::pair{own.due, ++last_timer_}, &p);
  else
    reach(p);
}

void sim_engine::reach(parcel& p) {
  if (auto* through = p.extras().through; through && through->messages.front() != &p)
    return;
  p.is_in_transit = true;
  enable(p, event_kind::arrival, *p.to);
}

void sim_engine::arrive_from_transit(parcel& p) {
  p.is_in_transit = false;
  auto* through = p.extras().through;
  if (through)
    through->messages.pop_front();
  arrive(&p);
  if (!through)
    return;
  // If it was refused by an actor that has asked itself, the answer is here, and on its way, already.
  if (auto* next = through->messages.front(); next && next->extras().due <= now_ && !next->is_enabled())
    reach(*next);
}

} // namespace troupe
