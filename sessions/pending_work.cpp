// How pending work comes into its session's books, and leaves them.
#include "sessions/pending_work.hpp"
#include <mutex>
#include <thread>

namespace troupe {

pending_work* pending_work::start(session_node& owner, task_sink& sink, const pending_work_options& options,
                                  source_location where) {
  // The sink may be gone together with the system once the session has closed.
  if (owner.state() == session_state::closed)
    return nullptr;
  auto* work = new pending_work{owner, options.what};
  work->kind = options.kind;
  work->internal = options.internal;
  work->continues = true;
  work->name = options.name;
  work->where = where;
  work->executor_name = sink.name();
  work->spawned_at = sink.dispatcher().recent();
  if (auto* spawner = task_base::current())
    work->parent = spawner->id;
  if (owner.admit(*work)) {
    delete work;
    return nullptr;
  }
  return work;
}

void pending_work::let_go() noexcept {
  if (holders_.fetch_sub(1, std::memory_order_acq_rel) != 1)
    return;
  settle(task_state::done_ok);
  release();
}

void pending_work::settle(task_state how) noexcept {
  auto running = task_state::running;
  if (!state_.compare_exchange_strong(running, how, std::memory_order_acq_rel))
    return;
  on_cancel(nullptr);
  while (!owner_.settled(*this, how, nullptr))
    std::this_thread::yield();
  release(); // the owner's
}

void pending_work::on_cancel(std::function<void()> told) {
  std::function<void()> call_now;
  {
    std::lock_guard guard{lock_};
    if (is_cancelled_)
      call_now.swap(told);
    told_.swap(told); // what it replaces is destroyed outside of the lock
  }
  if (call_now)
    call_now();
}

void pending_work::request_cancel(close_cause cause, bool force) noexcept {
  auto none = close_cause::none;
  cause_.compare_exchange_strong(none, cause, std::memory_order_relaxed);
  if (kind == task_kind::wait_until && !force)
    return;
  std::function<void()> told;
  {
    std::lock_guard guard{lock_};
    is_cancelled_ = true;
    told.swap(told_);
  }
  if (told)
    told();
}

void pending_work::abandon() noexcept { settle(task_state::abandoned); }

void pending_work::release() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete this;
}

} // namespace troupe
