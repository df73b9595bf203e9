// What a session does to its parts: actors are told to exit, closers run, children are started again.
#include "actors/caf_compat.hpp"
#include "sessions/session_node.hpp"
#include <caf/all.hpp>

namespace troupe {
namespace {
/// Keeps an open session from closing while something is added to it.
struct holding_open {
  explicit holding_open(session_core& core) noexcept : core(core), ok(core.hold()) {}
  ~holding_open() {
    if (ok)
      core.unhold();
  }
  session_core& core;
  const bool ok;
};
} // namespace

/// Runs closers, one after the other.
class session_node::closer_job final : public platform::runnable {
public:
  closer_job(session_node& node, std::vector<std::uint32_t> numbers) : node_(&node), numbers_(std::move(numbers)) {
    ++node.system_.stuck_code;
  }
  ~closer_job() { --node_->system_.stuck_code; }
  void run() noexcept override {
    for (auto number : numbers_)
      node_->resource_released(number, node_->run_closer(number));
    delete this;
  }
  void drop() noexcept override {
    for (auto number : numbers_)
      node_->resource_released(number, "the dispatcher stopped before its closer ran");
    delete this;
  }
  platform::runnable_info info() const noexcept override {
    return {"closer", {}, node_->id().number, numbers_.front()};
  }

private:
  counted<session_node> node_;
  std::vector<std::uint32_t> numbers_;
};

std::error_code session_node::own(caf::actor child, std::string name, source_location where) {
  if (!child)
    return make_error_code(errc::invalid_argument);
  holding_open held{*this};
  if (!held.ok)
    return make_error_code(errc::session_closed);
  std::uint32_t number = 0;
  if (auto refused = add_actor(number, std::move(name), where, system_.now()))
    return refused;
  {
    std::lock_guard guard{hands_lock_};
    more().actors.emplace(number, child);
  }
  // An attachment and not a monitor: it needs no message, and no actor of ours to receive it.
  caf::actor_cast<caf::abstract_actor*>(child)->attach_functor(
      [node = counted<session_node>{this}, number](const caf::error& reason) { node->actor_down(number, reason); });
  return {};
}

void session_node::actor_down(std::uint32_t number, const caf::error& reason) noexcept {
  bool known = false;
  {
    std::lock_guard guard{hands_lock_};
    known = hands_ && hands_->actors.erase(number) > 0;
  }
  if (!known)
    return;
  const bool asked = state() > session_state::open && is_exit_reason(reason);
  if (reason && reason != caf::exit_reason::normal && !asked)
    actor_failed(number, "ended: " + render(system_.host->caf(), reason));
  actor_gone(number);
}

void session_node::exit_actor(std::uint32_t number, caf::exit_reason reason) {
  caf::actor actor;
  {
    std::lock_guard guard{hands_lock_};
    if (hands_)
      if (auto found = hands_->actors.find(number); found != hands_->actors.end())
        actor = found->second;
  }
  if (actor)
    send_urgent_exit(actor, reason);
}

void session_node::stand_for(std::uint32_t number, const caf::actor& actor) {
  std::lock_guard guard{hands_lock_};
  more().actors[number] = actor;
}

std::error_code session_node::set_supervision(const supervision_options& options) {
  std::lock_guard turn{turn_mutex_};
  if (children_ && children_->size() > 0)
    return make_error_code(errc::invalid_argument);
  auto fresh = std::make_unique<supervised_children>(options);
  std::lock_guard guard{hands_lock_};
  children_ = std::move(fresh);
  return {};
}

std::error_code session_node::supervise(child_spec spec, source_location where) {
  holding_open held{*this};
  if (!held.ok)
    return make_error_code(errc::session_closed);
  std::lock_guard turn{turn_mutex_};
  if (!children_) {
    auto fresh = std::make_unique<supervised_children>(supervision_options{});
    std::lock_guard guard{hands_lock_};
    children_ = std::move(fresh);
  }
  std::uint32_t part = 0;
  if (spec.start.index() == 0)
    if (auto refused = add_actor(part, spec.name, where, system_.now()))
      return refused;
  try {
    children_->add(*this, std::move(spec), where, part);
  } catch (...) {
    if (part != 0)
      actor_gone(part);
    throw;
  }
  return {};
}

void session_node::child_ended(std::size_t index, std::uint32_t generation, bool failed, std::string how) noexcept {
  children_->note_end(index, generation, failed, std::move(how));
  wake();
}

void session_node::turn_children(time_point now) {
  auto due = children_->turn(*this, now);
  if (due == restart_due_)
    return;
  restart_due_ = due;
  if (due == time_point::max() || state() == session_state::closed)
    stop_timer(restart_timer_);
  else
    set_timer(restart_timer_, due, false);
}

std::error_code session_node::acquire(std::string name, const std::function<std::error_code()>& open,
                                      std::function<void()> close, source_location where) {
  holding_open held{*this};
  if (!held.ok)
    return make_error_code(errc::session_closed);
  if (auto failed = open ? open() : std::error_code{})
    return failed;
  std::uint32_t number = 0;
  if (auto refused = add_resource(number, std::move(name), where, system_.now()))
    return refused;
  std::lock_guard guard{hands_lock_};
  more().closers.emplace(number, std::move(close));
  return {};
}

std::string session_node::run_closer(std::uint32_t number) noexcept {
  std::function<void()> closer;
  {
    std::lock_guard guard{hands_lock_};
    if (auto found = hands_->closers.find(number); found != hands_->closers.end()) {
      closer = std::move(found->second);
      hands_->closers.erase(found);
    }
  }
  try {
    if (closer)
      closer();
    return {};
  } catch (...) {
    auto text = troupe::describe(std::current_exception());
    return text.empty() ? "its closer threw" : text;
  }
}

void session_node::dispatch_closers(std::vector<std::uint32_t> numbers) {
  auto* job = new closer_job{*this, std::move(numbers)};
  if (system_.dispatcher->dispatch(platform::background_lane, *job, priority::normal))
    job->run(); // the pool is gone: better here than never
}

void session_node::late_release(const std::vector<std::uint32_t>& numbers) noexcept {
  if (!numbers.empty())
    dispatch_closers(numbers);
}

} // namespace troupe
