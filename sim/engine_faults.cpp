// How the engine lets things go wrong: what is decided, and the program's own points.
#include "sim/engine.hpp"
#include "sim/random_source.hpp"

namespace troupe {

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
      return {.identity = index == 0 ? key : (*choices)[index - 1].identity(key), .parent = parent};
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
  keep(decision_kind::fault, index, among.size(), among[index].identity);
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

// -- the program's own --------------------------------------------------------

bool sim_engine::passes_fault_point(std::string_view name) {
  if (!faults_ || is_foreign() || options_.faults.point == 0)
    return false;
  const auto key = mix(mix(present_->identity, hash_of_text(name)), ++present_->questions);
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
  const auto key = mix(mix(present_->identity, hash_of_text(name)), ++present_->questions);
  auto* fault = decide_fault(key, present_->identity, std::move(choices));
  if (!fault)
    return false;
  present_->is_crashed = true;
  present_->crash = fault->kind;
  tell(key, present_->identity, *present_->who, *present_->who, "crash at " + std::string(name));
  return true;
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
