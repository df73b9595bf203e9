// Names of kinds and states, as reports print them.
#include "actors/task_record.hpp"

namespace troupe {

const char* to_string(task_kind kind) noexcept {
  switch (kind) {
  case task_kind::scoped:
    return "scoped";
  case task_kind::wait_until:
    return "wait_until";
  case task_kind::daemon:
    return "daemon";
  }
  return "?";
}

const char* to_string(task_state state) noexcept {
  switch (state) {
  case task_state::queued:
    return "queued";
  case task_state::dispatched:
    return "dispatched";
  case task_state::running:
    return "running";
  case task_state::done_ok:
    return "ok";
  case task_state::done_error:
    return "error";
  case task_state::done_cancelled:
    return "cancelled";
  case task_state::rejected:
    return "rejected";
  case task_state::lost:
    return "lost";
  case task_state::abandoned:
    return "abandoned";
  }
  return "?";
}

} // namespace troupe
