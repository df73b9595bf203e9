// The pieces of one source of outside input, as events of a run.
#pragma once
#include "platform/dispatcher.hpp"
#include "sim/outside.hpp"

namespace troupe {

class sim_engine;

/// As long as there may be a next piece, its arrival is an event that can happen at any time.
class outside_events final : public platform::runnable {
public:
  outside_events(sim_engine& engine, std::string name, input_source read,
                 std::function<void(const std::string&)> arrived);
  /// No more pieces arrive.
  void end() noexcept { is_over_ = true; }

  void run() noexcept override;
  void drop() noexcept override {}
  platform::runnable_info info() const noexcept override { return {"input", name_, 0, 0}; }

private:
  void expect();

  sim_engine& engine_;
  std::string name_;
  input_source read_;
  std::function<void(const std::string&)> arrived_;
  bool is_over_ = false;
};

} // namespace troupe
