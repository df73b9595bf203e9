// The meeting of a task and the Asio coroutine that it stands for.
#include "sessions/asio_awaitable.hpp"
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace troupe::detail {

void awaitable_run::end(std::exception_ptr how) noexcept {
  task_base* waiter = nullptr;
  std::uint64_t ticket = 0;
  {
    std::lock_guard guard{mutex_};
    has_ended_ = true;
    error_ = std::move(how);
    waiter = std::exchange(waiter_, nullptr);
    ticket = ticket_;
    if (waiter)
      waiter->add_ref();
  }
  if (waiter) {
    waiter->wake(ticket);
    waiter->release();
  }
}

bool awaitable_run::has_ended() const noexcept {
  std::lock_guard guard{mutex_};
  return has_ended_;
}

void awaitable_run::cancel(const std::shared_ptr<awaitable_run>& self) {
  boost::asio::post(self->strand, [self] {
    if (!self->has_ended())
      self->signal.emit(boost::asio::cancellation_type::terminal);
  });
}

void awaitable_run::rethrow(const task_base& task) const {
  if (!error_) // nobody writes it any more
    return;
  if (task.is_cancelled())
    try {
      std::rethrow_exception(error_);
    } catch (const boost::system::system_error& error) {
      if (error.code() == boost::asio::error::operation_aborted)
        throw task_cancelled{task.cause()};
    } catch (...) { // as it is, below
    }
  std::rethrow_exception(error_);
}

bool awaitable_run::ended_awaiter::suspend(task_base& task, std::coroutine_handle<> at) noexcept {
  const auto ticket = task.suspend_at(at, {.kind = wait_kind::custom, .what = "an Asio coroutine"});
  bool over = false;
  {
    std::lock_guard guard{run_.mutex_};
    over = run_.has_ended_;
    if (!over) {
      run_.waiter_ = &task;
      run_.ticket_ = ticket;
    }
  }
  if (over || (heeds_cancellation_ && task.is_cancelled()))
    task.wake(ticket);
  // After the commit another thread may have resumed and destroyed this object.
  return task.commit(ticket);
}

void awaitable_run::forget_waiter() noexcept {
  std::lock_guard guard{mutex_};
  waiter_ = nullptr;
}

} // namespace troupe::detail
