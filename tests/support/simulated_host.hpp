// A CAF host on the simulator's engine with one owner and executors: for tests below the sessions.
#pragma once
#include "executors/executor.hpp"
#include "sim/engine.hpp"
#include "sim/random_strategy.hpp"
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace troupe::testing {

/// Owns whatever is spawned, and remembers how each task settled.
class recording_owner final : public task_owner {
public:
  std::error_code admit(task_record& task) noexcept override {
    if (is_closed)
      return errc::session_closed;
    task.id = {{1}, ++last_number};
    ++unsettled;
    tasks.push_back(&task);
    return {};
  }
  bool settled(task_record& task, task_state outcome, const std::exception_ptr& error) noexcept override {
    --unsettled;
    tasks.erase(std::find(tasks.begin(), tasks.end(), &task));
    settlements.push_back({task.id, outcome, error ? describe(error) : ""});
    task.mark_settled(outcome);
    return true;
  }
  std::error_code adopt(task_record&) noexcept override { return {}; }
  bool disown(task_record&) noexcept override { return true; }
  void stale_completion(const task_record&) noexcept override { ++stale; }
  session_id id() const noexcept override { return {1}; }
  void add_ref() noexcept override { ++references; }
  void release() noexcept override { --references; }

  struct settlement {
    task_id id;
    task_state outcome;
    std::string error;
  };
  void abandon_all() {
    while (!tasks.empty())
      tasks.back()->abandon();
  }

  std::vector<settlement> settlements;
  std::vector<task_record*> tasks; ///< The unsettled.
  bool is_closed = false;
  std::uint32_t last_number = 0;
  int unsettled = 0;
  int stale = 0;
  int references = 0;
};

/// One simulated system without sessions.
struct simulated_host {
  explicit simulated_host(std::uint64_t seed = 0, simulation_options options = {})
      : order(seed), engine(options, order) {}
  ~simulated_host() {
    owner.abandon_all();
    engine.end_all();
  }

  void run() { engine.run_to(engine.now()); }
  void run_for(platform::duration span) { engine.run_to(engine.now() + span); }

  random_strategy order;
  sim_engine engine;
  caf_host host{engine, {.router = &engine}};
  recording_owner owner;
  std::vector<std::string> log;
  std::vector<std::string> bugs;
  executor_environment environment{host, owner, [this](const std::string& line) { log.push_back(line); },
                                   [this](const std::string& bug) { bugs.push_back(bug); }};
  background_executor background{environment};
  foreground_executor foreground{environment};
};

} // namespace troupe::testing
