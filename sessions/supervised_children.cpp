// Starting children, hearing of their ends, and starting them again.
#include "sessions/supervised_children.hpp"
#include "actors/caf_compat.hpp"
#include "sessions/session_node.hpp"
#include <algorithm>
#include <caf/all.hpp>
#include <mutex>

namespace troupe {
namespace {
/// How long a sibling that has to be restarted may take to exit before it is killed.
constexpr duration stop_patience = std::chrono::seconds{1};

/// Notes the end of a task child when its work is destroyed, however that comes about.
class end_note {
public:
  end_note(session_node& node, std::size_t index, std::uint32_t generation)
      : node_(&node), index_(index), generation_(generation) {}
  ~end_note() { node_->child_ended(index_, generation_, failed_, how_); }
  void failed(std::string how) {
    failed_ = true;
    how_ = std::move(how);
  }

private:
  counted<session_node> node_;
  std::size_t index_;
  std::uint32_t generation_;
  bool failed_ = false;
  std::string how_ = "ended";
};

async<void> run_child(std::shared_ptr<end_note> note, std::function<async<void>()> start) {
  try {
    co_await start();
  } catch (const task_cancelled&) {
    throw;
  } catch (...) {
    note->failed("threw " + troupe::describe(std::current_exception()));
  }
}
} // namespace

void supervised_children::note_end(std::size_t index, std::uint32_t generation, bool failed, std::string how) noexcept {
  std::lock_guard guard{lock_};
  ends_.push_back({index, generation, failed, std::move(how)});
}

void supervised_children::add(session_node& node, child_spec spec, source_location where, std::uint32_t part) {
  auto when = spec.when;
  children_.push_back({std::move(spec), where, part, 0, false, false, false, {}, {}});
  policy_.add(when);
  try {
    start(node, children_.size() - 1);
  } catch (...) {
    children_.pop_back();
    policy_.remove_last();
    throw;
  }
}

void supervised_children::start(session_node& node, std::size_t index) {
  auto& child = children_[index];
  auto generation = ++child.generation;
  child.wanted = child.stopping = false;
  policy_.started(index);
  if (auto* make_actor = std::get_if<0>(&child.spec.start)) {
    child.actor = (*make_actor)(node.system().host->caf());
    child.alive = true;
    node.stand_for(child.part, child.actor);
    caf::actor_cast<caf::abstract_actor*>(child.actor)
        ->attach_functor([node = counted<session_node>{&node}, index, generation](const caf::error& reason) {
          const bool failed = reason && reason != caf::exit_reason::normal && reason != caf::exit_reason::user_shutdown;
          node->child_ended(index, generation, failed, "ended: " + render(node->system().host->caf(), reason));
        });
    return;
  }
  child.alive = true;
  auto note = std::make_shared<end_note>(node, index, generation);
  spawn_options options{.kind = task_kind::daemon, .name = child.spec.name};
  auto task = spawn_on(node, node.default_sink(), options, child.where,
                       [note = std::move(note), start = std::get<1>(child.spec.start)]() mutable {
                         return run_child(std::move(note), std::move(start));
                       });
  child.task = task.id();
  std::move(task).detach();
}

void supervised_children::stop(session_node& node, child& which, bool kill) {
  if (which.part != 0)
    send_urgent_exit(which.actor, kill ? caf::exit_reason::kill : caf::exit_reason::user_shutdown);
  else
    node.cancel_task(which.task, close_cause::cancelled);
}

void supervised_children::react(session_node& node, const end& what, time_point now) {
  auto& ended = children_[what.index];
  if (what.generation != ended.generation)
    return;
  ended.alive = false;
  ended.actor = nullptr;
  if (ended.stopping || node.state() > session_state::open)
    return;
  auto decision = policy_.ended(what.index, what.failed, now, random(node));
  auto name = "child '" + ended.spec.name + "', supervised since " + to_text(ended.where) + ", ";
  if (decision.action == restart_decision::none) {
    if (ended.part != 0)
      node.actor_gone(ended.part);
    return;
  }
  if (decision.action == restart_decision::escalate) {
    node.fail(name + what.how + ", after " + std::to_string(policy_.options().max_restarts) + " restarts within " +
                  to_text(policy_.options().window),
              close_cause::escalated);
    return;
  }
  for (auto index : decision.to_stop) {
    children_[index].stopping = true;
    policy_.stopped(index);
    stop(node, children_[index], false);
  }
  for (auto index : decision.to_start)
    children_[index].wanted = true;
  due_ = now + decision.delay;
  patience_ = now + stop_patience;
}

time_point supervised_children::turn(session_node& node, time_point now) {
  for (;;) {
    std::vector<end> ends;
    {
      std::lock_guard guard{lock_};
      ends.swap(ends_);
    }
    for (auto& end : ends)
      react(node, end, now);
    if (node.state() > session_state::open) {
      // Those that wait for their restart wait no more.
      for (auto& child : children_)
        if (!child.alive && child.part != 0)
          node.actor_gone(std::exchange(child.part, 0));
      return time_point::max();
    }
    auto wanted = [](auto& child) { return child.wanted; };
    if (std::none_of(children_.begin(), children_.end(), wanted))
      return time_point::max();
    if (std::any_of(children_.begin(), children_.end(), [](auto& child) { return child.stopping && child.alive; })) {
      if (now < patience_)
        return patience_;
      for (auto& child : children_)
        if (child.stopping && child.alive)
          stop(node, child, true);
      return time_point::max(); // their end comes as a note
    }
    if (now < due_)
      return due_;
    for (std::size_t i = 0; i < children_.size(); ++i) {
      if (!children_[i].wanted)
        continue;
      try {
        start(node, i);
      } catch (...) {
        note_end(i, children_[i].generation, true, "did not start: " + troupe::describe(std::current_exception()));
      }
    }
    std::lock_guard guard{lock_};
    if (ends_.empty())
      return time_point::max();
  }
}

// Different for each session and restart, and the same in every run: SplitMix64.
double supervised_children::random(session_node& node) noexcept {
  auto z = (std::uint64_t{node.id().number} << 32) + ++draws_ * 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
}

} // namespace troupe
