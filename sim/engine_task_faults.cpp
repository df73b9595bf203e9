// What may go wrong with tasks: their executors refuse them or crash, and the threads that run them go away.
#include "executors/executor.hpp"
#include "sim/engine.hpp"
#include "sim/random_source.hpp"
#include <caf/sec.hpp>

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

void sim_engine::faults_at_step(platform::runnable& work, entity& task, std::uint64_t identity) {
  const auto& given = options_.faults;
  if (given.lose + given.executor_crash == 0 || tearing_down_ || std::string_view{work.info().kind} != "task")
    return;
  auto& runs_on = dynamic_cast<executor&>(dynamic_cast<task_base&>(work).sink());
  std::vector<fault_choice> choices;
  if (given.lose != 0)
    choices.push_back({fault_kind::lose});
  if (given.executor_crash != 0)
    choices.push_back({fault_kind::executor_crash, runs_on.where().number});
  const auto key = mix(identity, 13);
  auto* fault = decide_fault(key, identity, std::move(choices));
  if (!fault)
    return;
  // Whoever waits for it is told by this step, before anything that its code does.
  constexpr std::uint32_t apart = 1u << 30;
  event_frame here{&task, identity, apart, platform::background_lane, present_, result_.steps};
  present_ = &here;
  if (fault->kind == fault_kind::lose)
    tell(key, identity, task, task, "loses its thread");
  // It has begun, with this step if not before.
  work.lose();
  if (fault->kind == fault_kind::executor_crash)
    crash_executor(runs_on);
  present_ = here.outer;
}

void sim_engine::add_executor_crashes(std::vector<fault_choice>& choices) {
  if (!faults_->may(fault_kind::executor_crash) || !busy_executors_)
    return;
  std::uint32_t index = 0;
  for (auto* each : busy_executors_())
    choices.push_back({fault_kind::executor_crash, each->where().number, index++});
}

void sim_engine::crash_executor(executor& which) {
  if (is_told())
    tell(mix(present_->identity, 17), present_->identity, *present_->who, *present_->who,
         "crash of the executor '" + std::string(which.name()) + "'");
  which.crash(caf::sec::runtime_error);
  if (is_watched_ && !tearing_down_ && present_->who != world_)
    order_.touched_all();
}

} // namespace troupe
