// What may go wrong with tasks: at their executors, and at the threads that run them.
#include "sim/engine.hpp"
#include "sim/random_source.hpp"

namespace troupe {

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

} // namespace troupe
