// The parts of a session besides its tasks: child sessions, actors, resources.
#include "sessions/session_core.hpp"
#include <algorithm>
#include <cassert>
#include <mutex>

namespace troupe {

std::error_code session_core::add_child(session_core& child) noexcept {
  std::lock_guard guard{lock_};
  if (!is_open())
    return make_error_code(errc::session_closed);
  child.add_ref();
  child.previous_sibling_ = last_child_;
  child.next_sibling_ = nullptr;
  (last_child_ ? last_child_->next_sibling_ : first_child_) = &child;
  last_child_ = &child;
  return {};
}

void session_core::child_closed(session_core& child, std::shared_ptr<const cleanup_report> unclean) noexcept {
  bool notify = false;
  const bool escalated = child.cause() == close_cause::escalated;
  std::string error;
  if (escalated)
    error = "child session " + child.path() + " escalated" +
            (unclean && !unclean->first_error.empty() ? ": " + unclean->first_error : "");
  const bool only_log = escalated && on_failure_ == failure_policy::log;
  if (only_log)
    log(error);
  {
    std::lock_guard guard{lock_};
    (child.previous_sibling_ ? child.previous_sibling_->next_sibling_ : first_child_) = child.next_sibling_;
    (child.next_sibling_ ? child.next_sibling_->previous_sibling_ : last_child_) = child.previous_sibling_;
    child.previous_sibling_ = child.next_sibling_ = nullptr;
    ++children_closed_;
    children_dirty_ += child.outcome() == close_outcome::dirty;
    children_failed_ += child.outcome() == close_outcome::failed;
    if (unclean && !unclean->survivors.empty())
      dirty_ = true;
    dirty_ = dirty_ || child.outcome() == close_outcome::dirty;
    if (unclean && more().child_reports.size() < cleanup_report::kept_reports)
      extras_->child_reports.push_back(std::move(unclean));
    if (escalated && !only_log)
      treat_failure(std::move(error), close_cause::escalated);
    notify = failing_ || !is_open();
  }
  if (notify)
    wake();
  child.release(); // the list's
}

std::vector<counted<session_core>> session_core::children() const {
  std::vector<counted<session_core>> out;
  std::lock_guard guard{lock_};
  for (auto* child = first_child_; child; child = child->next_sibling_)
    out.emplace_back(child);
  return out;
}

std::error_code session_core::add_actor(std::uint32_t& number, std::string name, source_location where,
                                        time_point now) {
  std::lock_guard guard{lock_};
  if (!is_open() && holds_ == 0)
    return make_error_code(errc::session_closed);
  number = ++last_part_;
  more().actors.push_back({number, std::move(name), where, now});
  return {};
}

void session_core::actor_gone(std::uint32_t number) noexcept {
  bool notify = false;
  {
    std::lock_guard guard{lock_};
    if (extras_)
      std::erase_if(extras_->actors, [&](auto& actor) { return actor.number == number; });
    notify = !is_open() && (!extras_ || extras_->actors.empty());
  }
  if (notify)
    wake();
}

void session_core::actor_failed(std::uint32_t number, const std::string& how) noexcept {
  std::string text;
  {
    std::lock_guard guard{lock_};
    if (extras_)
      for (auto& actor : extras_->actors)
        if (actor.number == number)
          text = "actor " + to_string(id_) + ".actor" + std::to_string(number) + " '" + actor.name + "', owned since " +
                 to_text(actor.where) + ", " + how;
  }
  if (!text.empty())
    fail(std::move(text));
}

std::error_code session_core::add_resource(std::uint32_t& number, std::string name, source_location where,
                                           time_point now) {
  std::lock_guard guard{lock_};
  if (!is_open() && holds_ == 0)
    return make_error_code(errc::session_closed);
  number = ++last_part_;
  more().resources.push_back({number, std::move(name), where, now});
  return {};
}

void session_core::resource_released(std::uint32_t number, std::string error) noexcept {
  {
    std::lock_guard guard{lock_};
    if (!extras_)
      return;
    auto& resources = extras_->resources;
    auto released = std::find_if(resources.begin(), resources.end(), [&](auto& r) { return r.number == number; });
    if (released == resources.end())
      return;
    if (!error.empty()) {
      add_error("releasing '" + released->name + "', acquired at " + to_text(released->where) + ": " + error);
      dirty_ = true;
    }
    resources.erase(released);
  }
  wake();
}

bool session_core::hold(bool even_closing) noexcept {
  std::lock_guard guard{lock_};
  if (state() == session_state::closed || (!is_open() && !even_closing))
    return false;
  ++holds_;
  return true;
}

void session_core::unhold() noexcept {
  bool notify = false;
  {
    std::lock_guard guard{lock_};
    assert(holds_ > 0);
    notify = --holds_ == 0 && !is_open();
  }
  if (notify)
    wake();
}

} // namespace troupe
