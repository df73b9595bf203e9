// The parts of the session handle that are not one-liners.
#include "sessions/session.hpp"

namespace troupe {

std::vector<session> session::children() const {
  std::vector<session> out;
  for (auto& child : node_->children())
    out.emplace_back(static_cast<session_node*>(child.get()));
  return out;
}

std::error_code session::hand_over(task_base& task, const session& to) const noexcept {
  auto& next = to.valid() ? *to.node() : node_->root();
  if (task.is_settled() || &task.owner() == static_cast<task_owner*>(&next))
    return {};
  if (&task.owner() != static_cast<task_owner*>(node_.get()) || !next.is_proper_ancestor_of(*node_))
    return make_error_code(errc::invalid_argument);
  auto refused = node_->hand_over(task, next);
  return refused == errc::unknown_task ? std::error_code{} : refused; // it has just settled
}

session current_session() noexcept {
  auto* task = task_base::current();
  return task ? session{dynamic_cast<session_node*>(&task->owner())} : session{};
}

} // namespace troupe
