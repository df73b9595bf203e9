// CAF 1's clock on a dispatcher's timers. Private to the CAF host.
#pragma once
#include "platform/dispatcher.hpp"
#include <caf/action.hpp>
#include <caf/actor_clock.hpp>
#include <caf/disposable.hpp>
#include <memory>

namespace troupe {

/// Every action is one timer of the dispatcher, and disposing of what schedule() returns cancels it. (An actor's
/// run_delayed returns a disposable of CAF's own: its timer stays until it is due, and does nothing then.)
class dispatcher_clock final : public caf::actor_clock {
public:
  explicit dispatcher_clock(platform::dispatcher& dispatcher);
  ~dispatcher_clock() override;

  using actor_clock::schedule;
  time_point now() const noexcept override;
  caf::disposable schedule(time_point due, caf::action action) override;
  /// Nothing fires from now on.
  void cancel_all();

private:
  class entry;
  struct shared;
  std::shared_ptr<shared> shared_;
};

} // namespace troupe
