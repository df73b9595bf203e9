// Building a system up and taking it down, in order.
#include "sessions/system.hpp"
#include <caf/all.hpp>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <system_error>
#include <thread>

namespace troupe {
namespace {

std::function<void(const std::string&)> or_default_log(std::function<void(const std::string&)> log) {
  if (log)
    return log;
  return [](const std::string& line) { std::cerr << "troupe: " + line + "\n"; };
}

std::function<void(const std::string&)> or_default_bug(std::function<void(const std::string&)> bug) {
  if (bug)
    return bug;
  return [](const std::string& line) {
    std::cerr << "troupe: bug: " + line + "\n";
    std::abort();
  };
}

counted<session_node> make_root(system_state& shared, const session_options& options) {
  std::optional<time_point> deadline;
  if (options.deadline)
    deadline = shared.now() + clamp_duration(*options.deadline);
  session_id id{++shared.last_session};
  auto* raw = new session_node{shared, id, options, deadline, nullptr, source_location::current(), shared.now()};
  counted<session_node> root{raw};
  raw->release(); // the one it was born with
  return root;
}

/// How long abandoned code may take to return before its system is left behind instead of taken down.
constexpr int patience_ms = 5'000;

/// Calls `f` with each open session until it returns true.
template <class F>
bool any_session(session_node& from, F&& f) {
  if (f(from))
    return true;
  for (auto& child : from.children())
    if (any_session(static_cast<session_node&>(*child), f))
      return true;
  return false;
}

} // namespace

struct system::state {
  state(platform::dispatcher& on, system_options& options)
      : dispatcher(on), host(on, options.host), log(or_default_log(std::move(options.log))) {
    shared.dispatcher = &on;
    shared.host = &host;
    shared.log = log;
    if (options.on_session_closed)
      shared.on_session_closed = [tell = std::move(options.on_session_closed)](session_node& node) {
        tell(session{&node});
      };
    root = make_root(shared, options.root);
    environment = std::make_unique<executor_environment>(
        executor_environment{host, *root, log, or_default_bug(std::move(options.bug)), [this](const task_sink& which) {
                               any_session(*root, [&](session_node& node) {
                                 node.executor_crashed(which);
                                 return false;
                               });
                             }});
    background = std::make_unique<background_executor>(*environment, options.background_queue_bound);
    foreground = std::make_unique<foreground_executor>(*environment, options.foreground_queue_bound);
    shared.background = background.get();
    root->start();
  }

  std::unique_ptr<platform::dispatcher> owned_dispatcher; // outlives all else
  platform::dispatcher& dispatcher;
  system_state shared;
  caf_host host;
  std::function<void(const std::string&)> log;
  counted<session_node> root;
  std::unique_ptr<executor_environment> environment;
  std::unique_ptr<background_executor> background;
  std::unique_ptr<foreground_executor> foreground;
  std::mutex mutex;
  std::vector<std::unique_ptr<dedicated_executor>> dedicated; // guarded by mutex
  bool is_down = false;
  bool actor_is_stuck = false;
};

system::system(std::unique_ptr<platform::dispatcher> dispatcher, system_options options)
    : state_(std::make_unique<state>(*dispatcher, options)) {
  state_->owned_dispatcher = std::move(dispatcher);
}

system::system(platform::dispatcher& dispatcher, system_options options)
    : state_(std::make_unique<state>(dispatcher, options)) {}

system::~system() {
  shutdown();
  auto& s = *state_;
  s.shared.without_actors = true;
  for (int waited = 0; s.shared.stuck_code > 0 && waited < patience_ms; ++waited)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  if (s.shared.stuck_code > 0 || s.actor_is_stuck) {
    // Code that has outlasted the shutdown may still use all of this: its thread is waited for, and as nothing can be
    // taken down in order any more, the rest is left behind.
    auto* left_behind = state_.release();
    left_behind->owned_dispatcher.reset();
    return;
  }
  s.shared.extension.reset();
}

session system::root() const { return session{state_->root.get()}; }
background_executor& system::background() const noexcept { return *state_->background; }
foreground_executor& system::foreground() const noexcept { return *state_->foreground; }
caf::actor_system& system::caf() const noexcept { return state_->host.caf(); }
platform::dispatcher& system::dispatcher() const noexcept { return state_->dispatcher; }

dedicated_executor& system::make_dedicated(std::string name, std::size_t queue_bound) {
  std::error_code error;
  auto lane = state_->dispatcher.open_lane(name, error);
  if (error)
    throw std::system_error{error, "no executor '" + name + "'"};
  auto made = std::make_unique<dedicated_executor>(*state_->environment, std::move(name), lane, queue_bound);
  std::lock_guard guard{state_->mutex};
  state_->dedicated.push_back(std::move(made));
  return *state_->dedicated.back();
}

std::vector<executor*> system::busy_executors() const {
  std::vector<executor*> all{state_->background.get(), state_->foreground.get()};
  {
    std::lock_guard guard{state_->mutex};
    for (auto& each : state_->dedicated)
      all.push_back(each.get());
  }
  std::erase_if(all, [this](executor* each) {
    return !any_session(*state_->root, [each](session_node& node) { return node.has_begun_on(*each); });
  });
  return all;
}

cleanup_report system::shutdown(duration budget) {
  auto& s = *state_;
  budget = clamp_duration(budget);
  if (s.is_down)
    return root().report();
  s.is_down = true;
  auto started = s.dispatcher.now();
  s.root->request_close(close_cause::system_stopping, started, budget);
  auto report = root().closed();
  // The close keeps its budget by itself, if there is a thread that its supervisors can run on.
  static_cast<void>(s.background->block_on(std::move(report), budget + std::chrono::milliseconds{250}));
  if (s.root->state() != session_state::closed) {
    s.shared.without_actors = true;
    s.root->close_by_force();
  }
  s.background->refuse_new_tasks();
  s.foreground->refuse_new_tasks();
  auto left = budget - std::min(budget, s.dispatcher.now() - started);
  const bool ended = s.dispatcher.stop(std::max<duration>(left, std::chrono::milliseconds{50}));
  s.actor_is_stuck = !ended && s.shared.stuck_code == 0;
  return root().report();
}

bool system::is_task_complete(task_id task) const noexcept {
  return !any_session(*state_->root, [&](session_node& node) { return !node.is_task_complete(task); });
}

bool system::cancel_task(task_id task) const noexcept {
  return any_session(*state_->root, [&](session_node& node) { return node.cancel_task(task, close_cause::cancelled); });
}

session system::find_session(session_id id) const noexcept { return session{state_->root->find(id)}; }

} // namespace troupe
