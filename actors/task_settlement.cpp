// How a task settles: who may claim it, what its owner is told, and who is woken.
#include "actors/task_base.hpp"
#include <mutex>
#include <thread>

namespace troupe {

void task_base::abandon() noexcept {
  for (auto unstarted : {phase_queued, phase_dispatched})
    if (settle_unstarted(unstarted, task_state::done_cancelled, {}))
      return;
  give_up(task_state::abandoned, errc::task_abandoned);
}

bool task_base::lose() noexcept {
  if (phase_.load(std::memory_order_acquire) == phase_dispatched) {
    loses_first_step_ = true;
    return true;
  }
  return give_up(task_state::lost, errc::task_lost);
}

void task_base::executor_crashed() noexcept {
  if (internal || loses_first_step_)
    return;
  if (phase_.load(std::memory_order_acquire) > phase_dispatched) {
    give_up(task_state::lost, errc::task_lost);
    return;
  }
  // The lane outlives its executor. What is queued there keeps its place: that is to be dispatched again.
  if (dispatched_again_.exchange(true) && !continues)
    settle_unstarted(phase_dispatched, task_state::lost, errc::executor_down);
}

bool task_base::give_up(task_state how, errc why) noexcept {
  add_ref();
  // Before the claim: the late result may come right after it.
  auto* owner = owner_.load(std::memory_order_acquire);
  owner->add_ref();
  abandoning_owner_.store(owner, std::memory_order_release);
  abandoned_waiting_ = waiting().kind != wait_kind::none;
  auto expected = phase_running;
  if (!phase_.compare_exchange_strong(expected, phase_settling_abandoned, std::memory_order_acq_rel)) {
    release_abandoning_owner(false);
    release();
    return false;
  }
  store_error(make_error_code(why));
  settle(how, nullptr);
  release(); // the owner's
  // A suspended coroutine that nobody has woken will never run again: it is destroyed where it belongs.
  if (claim_suspension()) {
    if (!thread_bound_ || sink_->is_here()) {
      destroy_work();
      release_abandoning_owner(false);
    } else {
      add_ref(); // the queue's
      if (sink_->resubmit(*this))
        drop();
    }
  }
  release();
  return true;
}

void task_base::release_abandoning_owner(bool late_result) noexcept {
  auto* owner = abandoning_owner_.exchange(nullptr, std::memory_order_acq_rel);
  if (!owner)
    return;
  if (late_result)
    owner->stale_completion(*this);
  owner->release();
}

bool task_base::settle_unstarted(phase from, task_state how, std::error_code code) noexcept {
  if (!phase_.compare_exchange_strong(from, phase_settling, std::memory_order_acq_rel))
    return false;
  if (from == phase_dispatched && how != task_state::rejected)
    sink_->left_queue(*this);
  if (!thread_bound_ || sink_->is_here())
    destroy_work();
  if (how == task_state::done_cancelled)
    store_cancelled(cause() == close_cause::none ? close_cause::system_stopping : cause());
  else
    store_error(code);
  settle(how, nullptr);
  release(); // the owner's
  return true;
}

void task_base::settle(task_state how, const std::exception_ptr& error) noexcept {
  if (error && log_failure_.load(std::memory_order_relaxed))
    sink_->log("task " + to_string(id) + (name.empty() ? "" : " '" + name.str() + "'") + " spawned at " +
               where.file_name() + ":" + std::to_string(where.line()) + " failed: " + describe(error));
  // A hand-over may be under way: then the task's next owner is asked.
  while (!owner_.load(std::memory_order_acquire)->settled(*this, how, error))
    std::this_thread::yield();
  wake_waiters();
}

// Sequentially consistent: either `wake_waiters` sees that there is a waiter, or `add_waiter` that the task is settled.
void task_base::mark_settled(task_state how) noexcept { phase_.store(phase_of(how), std::memory_order_seq_cst); }

void task_base::wake_waiters() noexcept {
  // Most tasks never waited, and nobody waits for them.
  if (!had_waiters_.load(std::memory_order_seq_cst) && wait_.load(std::memory_order_relaxed) == 0)
    return;
  std::unique_lock guard{lock_};
  wait_info_ = {};
  while (waiters_) {
    auto* waiter = waiters_;
    waiters_ = waiter->next;
    if (auto* task = waiter->task) {
      auto ticket = waiter->ticket;
      task->add_ref();
      guard.unlock(); // the node may be gone from here on
      task->wake(ticket);
      task->release();
      guard.lock();
    } else {
      waiter->notify(waiter->context);
    }
  }
}

bool task_base::add_waiter(task_waiter& waiter) noexcept {
  std::lock_guard guard{lock_};
  had_waiters_.store(true, std::memory_order_seq_cst);
  if (phase_.load(std::memory_order_seq_cst) >= phase_first_terminal)
    return false;
  auto** last = &waiters_;
  while (*last)
    last = &(*last)->next;
  waiter.next = nullptr;
  *last = &waiter;
  return true;
}

void task_base::remove_waiter(task_waiter& waiter) noexcept {
  std::lock_guard guard{lock_};
  for (auto** at = &waiters_; *at; at = &(*at)->next)
    if (*at == &waiter) {
      *at = waiter.next;
      return;
    }
}

void task_base::log_failure() noexcept { log_failure_.store(true, std::memory_order_relaxed); }

std::error_code task_base::change_owner(task_owner& next) noexcept {
  auto* previous = owner_.load(std::memory_order_acquire);
  if (previous == &next)
    return {};
  if (!previous->disown(*this))
    return make_error_code(errc::unknown_task);
  auto refused = next.adopt(*this);
  if (!refused)
    owner_.store(&next, std::memory_order_release);
  else if (previous->adopt(*this))
    request_cancel(close_cause::parent_closed, true); // both closed meanwhile; cannot happen to a linked task
  return refused;
}

} // namespace troupe
