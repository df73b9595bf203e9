// A session as it lives in a system: its state machine, and the hands that carry out what that decides.
#pragma once
#include "sessions/session_core.hpp"
#include "sessions/supervised_children.hpp"
#include "sessions/system_state.hpp"
#include <caf/actor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace troupe {

/// For the sessions' own use: user code holds a `session`. The supervisor actor and this object hold each other until
/// the session has closed; the decisions stay here, so that a crash of the actor loses nothing.
/// Thread safety: all members, except as they say.
class session_node final : public session_core {
public:
  session_node(system_state& system, session_id id, const session_options& options, std::optional<time_point> deadline,
               session_node* parent, source_location where, time_point now);

  /// Opens a child. If this session is not open any more, the child is closed from the start.
  counted<session_node> open_child(const session_options& options, source_location where);
  /// Gives the session its actor and lets it open. Once.
  void start();

  system_state& system() const noexcept { return system_; }
  task_sink& default_sink() const noexcept { return *system_.background; }
  session_node* parent_node() const noexcept { return static_cast<session_node*>(parent()); }
  session_node& root() noexcept;
  counted<session_node> find(session_id id) noexcept;
  time_point now() const noexcept { return system_.now(); }
  /// The supervisor actor; null once the session has closed.
  caf::actor address() const;

  /// The final report as a task: ready at once if the session has closed.
  task<cleanup_report> closed_task(source_location where);
  std::error_code acquire(std::string name, const std::function<std::error_code()>& open, std::function<void()> close,
                          source_location where);
  std::error_code own(caf::actor child, std::string name, source_location where);
  std::error_code supervise(child_spec spec, source_location where);
  std::error_code set_supervision(const supervision_options& options);
  /// Hands `task`, which is one of this session's, to `next`.
  std::error_code hand_over(task_base& task, session_node& next) noexcept;

  /// Decides and acts. Normally the supervisor's; safe from elsewhere, one caller at a time.
  void turn();
  /// The supervisor's actor has ended before the session has.
  void supervisor_died(const std::string& why) noexcept;
  /// Ends this session and all below it within this call, for a system whose threads are all stuck.
  void close_by_force();

  // -- for its own parts --
  void wake() noexcept override;
  void child_ended(std::size_t index, std::uint32_t generation, bool failed, std::string how) noexcept;
  /// `actor` is from now on the one that is told to exit as part `number`.
  void stand_for(std::uint32_t number, const caf::actor& actor);

protected:
  void log(const std::string& line) noexcept override { system_.log("session " + path() + ": " + line); }
  void late_release(const std::vector<std::uint32_t>& numbers) noexcept override;
  void code_left_running() noexcept override { ++system_.stuck_code; }
  void code_came_back() noexcept override { --system_.stuck_code; }

private:
  class parked_waiters;
  class close_task;
  class phase_timer;
  class closer_job;
  /// Rarely needed, and not paid for by sessions that do without.
  struct hands {
    std::map<std::uint32_t, caf::actor> actors;
    std::map<std::uint32_t, std::function<void()>> closers;
    std::vector<task_base*> waiters; // of the close; each with a reference
  };

  ~session_node() override;
  hands& more();
  void perform(const effect& what);
  void finish();
  void turn_children(time_point now);
  void set_timer(phase_timer*& timer, time_point due, bool housekeeping);
  void stop_timer(phase_timer*& timer) noexcept;
  void actor_down(std::uint32_t number, const caf::error& reason) noexcept;
  void exit_actor(std::uint32_t number, caf::exit_reason reason);
  void dispatch_closers(std::vector<std::uint32_t> numbers);
  std::string run_closer(std::uint32_t number) noexcept;

  system_state& system_;
  std::atomic<bool> notified_ = false;
  std::atomic<int> lost_supervisors_ = 0;
  std::mutex turn_mutex_;
  phase_timer* timer_ = nullptr; // guarded by turn_mutex_, like the next two
  phase_timer* restart_timer_ = nullptr;
  time_point restart_due_ = time_point::max();
  mutable spin_lock hands_lock_;
  caf::strong_actor_ptr supervisor_; // guarded by hands_lock_, like the next two
  std::unique_ptr<hands> hands_;
  bool finished_ = false;
  std::unique_ptr<supervised_children> children_; // written once, under both locks
  std::unique_ptr<parked_waiters> parked_;        // written once, under hands_lock_
};

} // namespace troupe
