// Timers that wake tasks.
#include "actors/async.hpp"
#include <algorithm>

namespace troupe {

class wake_timer::node final : public platform::runnable {
public:
  node(task_base& task, std::uint64_t ticket) : task_(&task), ticket_(ticket) { task.add_ref(); }
  ~node() { task_->release(); }
  void run() noexcept override {
    task_->wake(ticket_);
    release();
  }
  void drop() noexcept override { release(); }
  platform::runnable_info info() const noexcept override {
    return {"timer", task_->name.view(), task_->id.session.number, task_->id.number};
  }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }
  platform::dispatcher& dispatcher() const noexcept { return task_->sink().dispatcher(); }
  platform::timer_id timer;

private:
  task_base* task_;
  std::uint64_t ticket_;
  std::atomic<int> references_ = 2; // the dispatcher's and the awaiter's
};

void wake_timer::start(task_base& task, std::uint64_t ticket, platform::duration delay) {
  node_ = new node(task, ticket);
  node_->timer = task.sink().dispatcher().dispatch_after(std::max(delay, platform::duration::zero()),
                                                         platform::background_lane, *node_, task.urgency);
  if (!node_->timer) { // the dispatcher has stopped
    node_->release();
    task.wake(ticket);
  }
}

void wake_timer::cancel() noexcept {
  if (auto* node = std::exchange(node_, nullptr)) {
    if (node->timer && node->dispatcher().cancel(node->timer))
      node->release(); // the dispatcher's
    node->release();
  }
}

wait_info detail::sleep_awaiter::why() const noexcept {
  auto* task = task_base::current();
  return {.kind = wait_kind::timer, .due = task->sink().dispatcher().now() + delay_, .has_due = true};
}

} // namespace troupe
