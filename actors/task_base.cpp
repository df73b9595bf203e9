// The life of a task: its start, its steps, and its cancellation.
#include "actors/task_base.hpp"
#include <mutex>
#include <thread>

namespace troupe {
namespace {
struct running_step {
  task_base* task;
  bool coroutine_done = false;
  running_step* outer;
};
thread_local running_step* current_step = nullptr;
} // namespace

task_base* task_base::current() noexcept { return current_step ? current_step->task : nullptr; }

void task_base::mark_coroutine_done() noexcept {
  if (current_step)
    current_step->coroutine_done = true;
}

bool task_base::coroutine_done() noexcept { return current_step && current_step->coroutine_done; }

task_state task_base::state() const noexcept {
  switch (const auto now = phase_.load(std::memory_order_acquire)) {
  case phase_queued:
    return task_state::queued;
  case phase_dispatched:
    return task_state::dispatched;
  case phase_running:
  case phase_settling:
  case phase_settling_abandoned:
    return task_state::running;
  default:
    return static_cast<task_state>(now - phase_first_terminal + static_cast<int>(task_state::done_ok));
  }
}

wait_info task_base::waiting() const noexcept {
  std::lock_guard guard{lock_};
  return wait_info_;
}

platform::time_point task_base::last_event() const noexcept {
  std::lock_guard guard{lock_};
  return last_event_ == platform::time_point{} ? spawned_at : last_event_;
}

// A coroutine that was abandoned in an awaitable of another library goes with its last reference.
task_base::~task_base() { release_abandoning_owner(!abandoned_waiting_); }

void task_base::release(std::uint32_t references) noexcept {
  if (references_.fetch_sub(references, std::memory_order_acq_rel) == references)
    delete this;
}

platform::runnable_info task_base::info() const noexcept {
  return {internal ? "internal task" : "task", name.view(), id.session.number, id.number,
          !internal && phase_.load(std::memory_order_relaxed) <= phase_dispatched};
}

// -- start --------------------------------------------------------------------

void task_base::start(task_owner& owner, task_sink& sink) noexcept {
  owner_.store(&owner, std::memory_order_relaxed);
  sink_ = &sink;
  thread_bound_ = sink.is_thread_bound();
  executor_name = sink.name();
  spawned_at = sink.dispatcher().recent();
  if (current_step)
    parent = current_step->task->id;
  if (auto refused = owner.admit(*this)) {
    destroy_work();
    store_error(refused);
    mark_settled(task_state::rejected);
    wake_waiters();
    release(2); // the owner's and the queue's
    return;
  }
  auto expected = phase_queued;
  if (!phase_.compare_exchange_strong(expected, phase_dispatched, std::memory_order_acq_rel)) {
    release(); // cancelled between admission and here
    return;
  }
  if (auto refused = sink.submit(*this)) {
    settle_unstarted(phase_dispatched, task_state::rejected, refused);
    release(); // the queue's
  }
}

void task_base::settle_ready() noexcept {
  references_.store(1, std::memory_order_relaxed); // the handle's
  phase_.store(phase_of(task_state::done_ok), std::memory_order_release);
}

// -- steps --------------------------------------------------------------------

void task_base::run() noexcept {
  check_thread("resumed");
  running_step step{this, false, current_step};
  auto expected = phase_dispatched;
  step_result result = step_result::suspended;
  bool worked = true;
  std::uint32_t owed = 1; // the queue's
  if (phase_.compare_exchange_strong(expected, phase_running, std::memory_order_acq_rel)) {
    sink_->left_queue(*this);
    current_step = &step;
    if (loses_first_step_)
      give_up(task_state::lost, errc::task_lost);
    result = first_step();
  } else if (expected == phase_running) {
    auto resume_point = resume_point_;
    {
      std::lock_guard guard{lock_};
      wait_info_ = {};
    }
    current_step = &step;
    result = next_step(resume_point);
  } else if (expected == phase_settling && settlement_queued_) {
    // Its work has ended in an earlier step, and what that sent is on its way by now.
    worked = false;
    settle_ended();
    ++owed;
  } else {
    worked = false;
    // Settled while it was queued: what it captured is destroyed here, where a thread-bound task belongs.
    if (thread_bound_ || expected == phase_of(task_state::abandoned) || expected == phase_of(task_state::lost) ||
        expected == phase_settling_abandoned)
      destroy_work();
    release_abandoning_owner(true);
  }
  if (worked && result == step_result::ended) {
    owed = finish_step();
  } else if (worked && phase_.load(std::memory_order_acquire) >= phase_settling_abandoned) {
    // Abandoned during this step, and suspended again: unless somebody has just woken it, it ends here.
    if (claim_suspension()) {
      destroy_work();
      release_abandoning_owner(true);
    }
  }
  current_step = step.outer;
  if (owed != 0)
    release(owed);
}

bool task_base::claim_end() noexcept {
  auto expected = phase_running;
  return phase_.compare_exchange_strong(expected, phase_settling, std::memory_order_acq_rel);
}

std::uint32_t task_base::finish_step() noexcept {
  if (phase_.load(std::memory_order_acquire) != phase_settling) {
    destroy_work();
    release_abandoning_owner(true);
    return 1;
  }
  if (auto thrown = destroy_work())
    store_exception(thrown);
  // Whoever sees the task settled must also be able to see what it has sent.
  settlement_queued_ = true;
  if (sink_->dispatcher().after_effects(*this))
    return 0;
  settlement_queued_ = false;
  settle_ended();
  return 2;
}

void task_base::settle_ended() noexcept {
  std::exception_ptr error;
  const auto how = ended_as(error);
  settle(how, error);
}

void task_base::drop() noexcept {
  auto now = phase_.load(std::memory_order_acquire);
  if (now == phase_dispatched) {
    settle_unstarted(phase_dispatched, task_state::done_cancelled, make_error_code(errc::executor_down));
  } else if (now == phase_settling && settlement_queued_) {
    settle_ended();
    release(); // the owner's
  } else if (now == phase_running) {
    auto expected = phase_running;
    if (phase_.compare_exchange_strong(expected, phase_settling, std::memory_order_acq_rel)) {
      if (!sink_->may_destroy_here())
        sink_->wrong_thread(*this, "destroyed");
      destroy_work();
      store_cancelled(close_cause::system_stopping);
      settle(task_state::done_cancelled, nullptr);
      release(); // the owner's
    }
  }
  if (is_settled())
    destroy_work();
  release_abandoning_owner(true);
  release(); // the queue's
}

std::uint64_t task_base::suspend_at(std::coroutine_handle<> resume_point, const wait_info& why) noexcept {
  resume_point_ = resume_point;
  auto now = sink_->dispatcher().now();
  {
    std::lock_guard guard{lock_};
    wait_info_ = why;
    last_event_ = now;
  }
  auto ticket = (wait_.load(std::memory_order_relaxed) >> 2) + 1;
  wait_.store((ticket << 2) | wait_arming, std::memory_order_seq_cst);
  return ticket;
}

void task_base::note_foreign_wait() noexcept {
  std::lock_guard guard{lock_};
  wait_info_ = {.kind = wait_kind::custom, .what = "an awaitable that Troupe does not know"};
}

bool task_base::commit(std::uint64_t ticket) noexcept {
  auto arming = (ticket << 2) | wait_arming;
  if (wait_.compare_exchange_strong(arming, (ticket << 2) | wait_armed, std::memory_order_seq_cst))
    return true;
  wait_.store((ticket << 2) | wait_idle, std::memory_order_relaxed);
  return false;
}

bool task_base::wake(std::uint64_t ticket) noexcept {
  auto arming = (ticket << 2) | wait_arming;
  if (wait_.compare_exchange_strong(arming, (ticket << 2) | wait_woken, std::memory_order_seq_cst))
    return true;
  auto armed = (ticket << 2) | wait_armed;
  if (!wait_.compare_exchange_strong(armed, (ticket << 2) | wait_idle, std::memory_order_seq_cst))
    return false;
  add_ref(); // the queue's
  if (sink_->resubmit(*this))
    drop();
  return true;
}

bool task_base::claim_suspension() noexcept {
  auto wait = wait_.load(std::memory_order_seq_cst);
  return (wait & 3) == wait_armed && wait_.compare_exchange_strong(wait, wait & ~std::uint64_t{3});
}

// -- cancellation -------------------------------------------------------------

void task_base::request_cancel(close_cause cause, bool force) noexcept {
  auto none = close_cause::none;
  cause_.compare_exchange_strong(none, cause, std::memory_order_relaxed);
  auto wanted = kind == task_kind::wait_until && !force ? cancel_shielded : cancel_delivered;
  auto before = cancel_.load(std::memory_order_relaxed);
  while (before < wanted)
    if (cancel_.compare_exchange_weak(before, wanted, std::memory_order_seq_cst)) {
      if (wanted == cancel_delivered)
        deliver_cancel();
      return;
    }
}

void task_base::deliver_cancel() noexcept {
  add_ref();
  if (!continues)
    for (auto unstarted : {phase_queued, phase_dispatched})
      if (settle_unstarted(unstarted, task_state::done_cancelled, {}))
        break;
  std::stop_source stop{std::nostopstate};
  {
    std::lock_guard guard{lock_};
    if (stop_source_)
      stop = *stop_source_;
  }
  if (stop.stop_possible())
    stop.request_stop();
  wake(wait_.load(std::memory_order_seq_cst) >> 2);
  release();
}

std::stop_token task_base::stop_token() {
  bool stopped = is_cancelled();
  std::unique_lock guard{lock_};
  if (!stop_source_) {
    guard.unlock();
    auto fresh = std::make_unique<std::stop_source>();
    guard.lock();
    if (!stop_source_)
      stop_source_ = std::move(fresh);
  }
  auto source = *stop_source_;
  guard.unlock();
  stopped = stopped || is_cancelled();
  if (stopped)
    source.request_stop();
  return source.get_token();
}

void task_base::handle_dropped() noexcept {
  if (kind == task_kind::scoped && !is_settled())
    request_cancel(close_cause::handle_dropped, false);
}

} // namespace troupe
