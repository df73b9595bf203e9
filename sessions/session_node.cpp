// A session in its system: its actor, its turns, its timers, and those who wait for its close.
#include "sessions/session_node.hpp"
#include "sessions/supervisor.hpp"
#include <algorithm>
#include <caf/all.hpp>

namespace troupe {
namespace {
/// Successors that a session gets for crashed supervisors before it is closed without one.
constexpr int supervisors_max = 8;
} // namespace

// -- helpers that the dispatcher holds ----------------------------------------

/// Wakes the session once. Held by the session and by the dispatcher, whichever lets go last.
class session_node::phase_timer final : public platform::runnable {
public:
  phase_timer(session_node& node, bool housekeeping) : node_(&node), housekeeping_(housekeeping) {}
  void run() noexcept override {
    node_->wake();
    release();
  }
  void drop() noexcept override { release(); }
  platform::runnable_info info() const noexcept override {
    platform::runnable_info info{"session timer", {}, node_->id().number, 0};
    info.housekeeping = housekeeping_;
    return info;
  }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }
  platform::timer_id id;

private:
  ~phase_timer() = default;
  std::atomic<int> references_ = 2;
  counted<session_node> node_;
  bool housekeeping_;
};

/// The executor of those who wait for the close: their only step runs when the session has closed.
class session_node::parked_waiters final : public task_sink {
public:
  explicit parked_waiters(session_node& node) : node_(node) {}
  std::error_code submit(task_base& task) noexcept override {
    {
      std::lock_guard guard{node_.hands_lock_};
      if (!node_.finished_) {
        node_.more().waiters.push_back(&task);
        return {};
      }
    }
    task.run(); // the session has just closed
    return {};
  }
  std::error_code resubmit(task_base&) noexcept override { return errc::executor_down; }
  void left_queue(task_base& task) noexcept override {
    bool parked = false;
    {
      std::lock_guard guard{node_.hands_lock_};
      parked = node_.hands_ && std::erase(node_.hands_->waiters, &task) > 0;
    }
    if (parked)
      task.release();
  }
  bool is_thread_bound() const noexcept override { return false; }
  bool is_here() const noexcept override { return true; }
  void wrong_thread(const task_base&, const char*) noexcept override {}
  void log(const std::string& line) noexcept override { node_.system_.log(line); }
  const char* name() const noexcept override { return "session"; }
  platform::dispatcher& dispatcher() const noexcept override { return *node_.system_.dispatcher; }
  caf::actor_system& caf() const noexcept override { return node_.system_.host->caf(); }

private:
  session_node& node_;
};

class session_node::close_task final : public detail::task_cell<cleanup_report> {
public:
  explicit close_task(session_node& node) : node_(&node) {}

protected:
  step_result first_step() noexcept override {
    if (claim_end())
      result = troupe::outcome<cleanup_report>::of_value(node_->report(node_->now()));
    return step_result::ended;
  }
  step_result next_step(std::coroutine_handle<>) noexcept override { return step_result::ended; }
  std::exception_ptr destroy_work() noexcept override { return nullptr; }

private:
  counted<session_node> node_;
};

// -- opening ------------------------------------------------------------------

session_node::session_node(system_state& system, session_id id, const session_options& options,
                           std::optional<time_point> deadline, session_node* parent, source_location where,
                           time_point now)
    : session_core(id, options, deadline, parent, where, now), system_(system) {}

session_node::~session_node() = default;

session_node::hands& session_node::more() {
  if (!hands_)
    hands_ = std::make_unique<hands>();
  return *hands_;
}

session_node& session_node::root() noexcept {
  auto* node = this;
  while (auto* parent = node->parent_node())
    node = parent;
  return *node;
}

counted<session_node> session_node::find(session_id wanted) noexcept {
  if (id() == wanted)
    return counted<session_node>{this};
  for (auto& child : children())
    if (auto found = static_cast<session_node&>(*child).find(wanted))
      return found;
  return {};
}

counted<session_node> session_node::open_child(const session_options& options, source_location where) {
  auto now = system_.now();
  auto ends = deadline();
  if (options.deadline) {
    auto own = now + clamp_duration(*options.deadline);
    ends = ends ? std::min(*ends, own) : own;
  }
  session_id id{system_.last_session.fetch_add(1, std::memory_order_relaxed) + 1};
  auto* raw = new session_node{system_, id, options, ends, this, where, now};
  counted<session_node> child{raw};
  raw->release(); // the one it was born with
  if (add_child(*child))
    child->refuse(now);
  else
    child->start();
  return child;
}

void session_node::start() {
  auto supervisor = caf::actor_cast<caf::strong_actor_ptr>(spawn_supervisor(system_.host->caf(), *this));
  {
    std::lock_guard guard{hands_lock_};
    supervisor_ = supervisor;
  }
  const bool open = opened(system_.now());
  if (deadline() && !(parent() && parent()->deadline() && *parent()->deadline() <= *deadline()))
    turn(); // sets the timer
  else if (!open || notified_.load(std::memory_order_acquire))
    wake_supervisor(supervisor);
}

// -- deciding -----------------------------------------------------------------

void session_node::wake() noexcept {
  if (state() == session_state::closed || notified_.exchange(true, std::memory_order_acq_rel))
    return;
  caf::strong_actor_ptr supervisor;
  {
    std::lock_guard guard{hands_lock_};
    supervisor = supervisor_;
  }
  if (supervisor && !system_.without_actors.load(std::memory_order_acquire))
    wake_supervisor(supervisor);
}

void session_node::turn() {
  std::lock_guard guard{turn_mutex_};
  notified_.store(false, std::memory_order_release);
  if (state() == session_state::closed)
    return;
  auto now = system_.now();
  effects out;
  advance(now, out);
  for (auto& effect : out)
    if (!carry_out(effect, now))
      perform(effect);
  if (children_)
    turn_children(now);
}

void session_node::perform(const effect& what) {
  switch (what.kind) {
  case effect::ask_actor:
    exit_actor(what.number, caf::exit_reason::user_shutdown);
    break;
  case effect::kill_actor:
    exit_actor(what.number, caf::exit_reason::kill);
    break;
  case effect::release_resource:
    dispatch_closers({what.number});
    break;
  case effect::set_timer:
    set_timer(timer_, what.due, state() >= session_state::draining);
    break;
  case effect::closed:
    finish();
    break;
  default:
    break;
  }
}

void session_node::finish() {
  stop_timer(timer_);
  stop_timer(restart_timer_);
  const bool unclean = outcome() != close_outcome::clean;
  // Reports cost, and most sessions end clean.
  std::shared_ptr<const cleanup_report> final;
  if (unclean)
    final = std::make_shared<const cleanup_report>(report(system_.now()));
  if (auto* above = parent_node())
    above->child_closed(*this, final);
  if (system_.on_session_closed)
    system_.on_session_closed(*this);
  // Handles to this session may outlive the system; actors must not.
  if (children_)
    children_->clear();
  std::map<std::uint32_t, caf::actor> survivors;
  std::vector<task_base*> waiters;
  {
    std::lock_guard guard{hands_lock_};
    finished_ = true;
    supervisor_ = nullptr;
    if (hands_) {
      survivors.swap(hands_->actors);
      waiters.swap(hands_->waiters);
    }
  }
  for (auto* waiter : waiters)
    waiter->run();
}

void session_node::set_timer(phase_timer*& timer, time_point due, bool housekeeping) {
  stop_timer(timer);
  timer = new phase_timer{*this, housekeeping};
  timer->id = system_.dispatcher->dispatch_after(std::max(due - system_.now(), duration::zero()),
                                                 platform::background_lane, *timer, priority::critical);
  if (!timer->id)
    timer->release(); // the dispatcher's
}

void session_node::stop_timer(phase_timer*& timer) noexcept {
  if (auto* stopped = std::exchange(timer, nullptr)) {
    if (stopped->id && system_.dispatcher->cancel(stopped->id))
      stopped->release(); // the dispatcher's
    stopped->release();
  }
}

void session_node::supervisor_died(const std::string& why) noexcept {
  if (state() == session_state::closed)
    return;
  supervisor_lost(why, system_.now());
  if (system_.without_actors.load(std::memory_order_acquire) || ++lost_supervisors_ > supervisors_max) {
    close_by_force();
    return;
  }
  auto successor = caf::actor_cast<caf::strong_actor_ptr>(spawn_supervisor(system_.host->caf(), *this));
  {
    std::lock_guard guard{hands_lock_};
    supervisor_ = successor;
  }
  wake_supervisor(successor);
}

void session_node::close_by_force() {
  counted<session_node> self{this};
  force(session_state::killing, system_.now(), system_.now());
  for (auto& child : children())
    static_cast<session_node&>(*child).close_by_force();
  turn(); // tells everything to end
  turn(); // gives up on what has not
}

// -- the close, awaited -------------------------------------------------------

task<cleanup_report> session_node::closed_task(source_location where) {
  // The session, and the one above, may close on other threads at any point of this.
  while (state() != session_state::closed) {
    {
      std::lock_guard guard{hands_lock_};
      if (!parked_)
        parked_ = std::make_unique<parked_waiters>(*this);
    }
    auto* cell = new close_task{*this};
    cell->internal = true;
    cell->name = "close of session " + to_string(id());
    cell->where = where;
    auto* above = parent_node();
    session_core& owner = above && above->state() != session_state::closed ? *above : *this;
    cell->start(owner, *parked_);
    task<cleanup_report> awaited{cell};
    if (awaited.state() != task_state::rejected)
      return awaited;
  }
  return task<cleanup_report>::ready(report(now()));
}

std::error_code session_node::hand_over(task_base& task, session_node& next) noexcept {
  if (!hold(true))
    return make_error_code(errc::unknown_task);
  auto refused = task.change_owner(next);
  unhold();
  return refused;
}

caf::actor session_node::address() const {
  std::lock_guard guard{hands_lock_};
  return caf::actor_cast<caf::actor>(supervisor_);
}

} // namespace troupe
