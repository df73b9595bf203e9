// Nodes of a simulated run, and the links between them, as their test sees them.
#include "sim/node.hpp"
#include "sim/engine.hpp"
#include <stdexcept>

namespace troupe {
namespace {

/// The address that stays. Who is behind it is looked up where a message arrives, not where it is sent.
class door final : public direct_actor {
public:
  door(caf::actor_config& config, sim_engine& engine) : direct_actor(config), engine_(engine) {}
  const char* name() const override { return "door"; }
  void stands_at(entity& place) noexcept { place_ = &place; }

protected:
  void receive(caf::mailbox_element_ptr mail, caf_context*) override {
    engine_.sent_to_door(*place_, letter::without_receiver(std::move(mail)));
  }

private:
  sim_engine& engine_;
  entity* place_ = nullptr;
};

class restarted_actor final : public node_host {
public:
  restarted_actor(caf::actor_system& system, std::function<caf::actor(caf::actor_system&)> make)
      : system_(system), make_(std::move(make)) {}
  void start() override { present_ = caf::actor_cast<caf::strong_actor_ptr>(make_(system_)); }
  void stop() override { present_ = nullptr; }
  const caf::strong_actor_ptr& present() const override { return present_; }

private:
  caf::actor_system& system_;
  std::function<caf::actor(caf::actor_system&)> make_;
  caf::strong_actor_ptr present_;
};

} // namespace

node::visit::visit(const node& where) noexcept : engine_(*where.engine_), before_(engine_.enter_node(where.number_)) {}
node::visit::~visit() { engine_.enter_node(before_); }

caf::actor node::host_by(std::function<caf::actor(caf::actor_system&)> make) const {
  auto hosted = std::make_unique<restarted_actor>(caf(), std::move(make));
  auto address = make_direct_actor<door>(caf(), *engine_);
  static_cast<door*>(address->get())->stands_at(engine_->open_door(number_, *hosted));
  visit here(*this);
  hosted->start();
  engine_->use_network().at(number_).hosts.push_back(std::move(hosted));
  return caf::actor_cast<caf::actor>(address);
}

void node::crash() const { engine_->crash_node_now(number_); }
bool node::is_up() const noexcept { return !engine_->use_network().at(number_).is_down; }
const std::string& node::name() const noexcept { return engine_->use_network().at(number_).name; }

void link::each(const std::function<void(link_settings&)>& change) const {
  auto& net = engine_->use_network();
  if (from_ == to_) {
    net.change_all_links(change);
    return;
  }
  change(net.link(from_, to_));
  if (both_ways_)
    change(net.link(to_, from_));
}

link& link::latency(platform::duration least, platform::duration most) {
  if (least < platform::duration::zero() || most < least)
    throw std::invalid_argument("a latency goes from a duration that is not negative to one that is not less");
  each([=](link_settings& settings) {
    settings.latency_min = least;
    settings.latency_max = most;
  });
  return *this;
}

link& link::order(order_model model) {
  if (model != order_model::network && model != order_model::unordered)
    throw std::invalid_argument("between nodes the order model is network or unordered");
  each([=](link_settings& settings) { settings.order = model; });
  return *this;
}

void link::set_cut(bool is_cut) const {
  auto& net = engine_->use_network();
  for (std::uint32_t from = 0; from < net.nodes(); ++from)
    for (std::uint32_t to = 0; to < net.nodes(); ++to) {
      const bool is_meant =
          from_ == to_ ? from != to : (from == from_ && to == to_) || (both_ways_ && from == to_ && to == from_);
      if (is_meant)
        net.set_cut_by_test(from, to, is_cut);
    }
  engine_->network_changed();
}

link& link::cut() {
  set_cut(true);
  return *this;
}

link& link::heal() {
  set_cut(false);
  return *this;
}

} // namespace troupe
