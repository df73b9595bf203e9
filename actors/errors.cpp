// Texts of the errors.
#include "actors/errors.hpp"

namespace troupe {
namespace {
class category final : public std::error_category {
public:
  const char* name() const noexcept override { return "troupe"; }
  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
    case errc::session_closed:
      return "the session accepts no new work: it is closing or closed";
    case errc::queue_full:
      return "the executor's queue is full";
    case errc::executor_down:
      return "the executor has stopped";
    case errc::task_cancelled:
      return "the task was cancelled";
    case errc::task_rejected:
      return "the task was refused and never ran";
    case errc::task_lost:
      return "the task's executor went away; it may have run";
    case errc::task_abandoned:
      return "shutdown gave up on the running task";
    case errc::ask_timeout:
      return "no reply came in time";
    case errc::ask_failed:
      return "the receiver is down or answered with an error";
    case errc::wrong_thread:
      return "thread-bound work was touched from another thread";
    case errc::would_deadlock:
      return "waiting here can never end";
    case errc::timed_out:
      return "the deadline passed";
    case errc::not_clean:
      return "the session is not clean: unfinished work survives";
    case errc::unknown_session:
      return "no such session is open";
    case errc::unknown_task:
      return "no such task is unsettled";
    case errc::invalid_argument:
      return "invalid argument";
    }
    return "unknown error";
  }
};
} // namespace

const std::error_category& troupe_category() noexcept {
  static const category instance;
  return instance;
}

std::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), troupe_category()}; }

const char* to_string(close_cause cause) noexcept {
  switch (cause) {
  case close_cause::none:
    return "none";
  case close_cause::completed:
    return "completed";
  case close_cause::cancelled:
    return "cancelled";
  case close_cause::deadline_exceeded:
    return "deadline_exceeded";
  case close_cause::parent_closed:
    return "parent_closed";
  case close_cause::task_failed:
    return "task_failed";
  case close_cause::escalated:
    return "escalated";
  case close_cause::handle_dropped:
    return "handle_dropped";
  case close_cause::system_stopping:
    return "system_stopping";
  }
  return "?";
}

std::string describe(const std::exception_ptr& error) {
  if (!error)
    return "no error";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is not a std::exception";
  }
}

} // namespace troupe
