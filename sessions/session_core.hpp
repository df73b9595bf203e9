// The state machine of a session: what it owns, what it still accepts, and what has to be done next to close it.
#pragma once
#include "actors/task_record.hpp"
#include "platform/spin_lock.hpp"
#include "sessions/cleanup_report.hpp"
#include "sessions/session_state.hpp"
#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// A counted reference to a task_record or a session_core.
template <class T>
class counted {
public:
  counted() = default;
  explicit counted(T* p) noexcept : p_(p) {
    if (p_)
      p_->add_ref();
  }
  counted(const counted& other) noexcept : counted(other.p_) {}
  counted(counted&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
  counted& operator=(counted other) noexcept {
    std::swap(p_, other.p_);
    return *this;
  }
  ~counted() {
    if (p_)
      p_->release();
  }
  T* get() const noexcept { return p_; }
  T* operator->() const noexcept { return p_; }
  T& operator*() const noexcept { return *p_; }
  explicit operator bool() const noexcept { return p_; }

private:
  T* p_ = nullptr;
};

class session_core;

/// Something that the state machine wants done. It never acts by itself: whoever calls `advance` carries it out.
struct effect {
  enum kind_type : std::uint8_t {
    cancel_task,      ///< task, cause, force
    report_task,      ///< task, cause: name it in the report, then cancel it
    abandon_task,     ///< task: give up on it, and name it in the report if that was needed
    close_child,      ///< child, cause, due: orderly, over by `due`
    cancel_child,     ///< child, cause
    force_child,      ///< child, state, due: at least into this state, over by `due`
    ask_actor,        ///< number: please exit
    kill_actor,       ///< number: exit now
    release_resource, ///< number: run its closer, then call `resource_released`
    set_timer,        ///< due: call `advance` then, unless another set_timer came since
    closed,           ///< The session has closed: tell everyone. The last effect of all.
  };
  kind_type kind;
  counted<task_record> task = {};
  counted<session_core> child = {};
  std::uint32_t number = 0;
  close_cause cause = close_cause::none;
  bool force = false;
  session_state state = session_state::open;
  time_point due = {};
};
const char* to_string(effect::kind_type kind) noexcept;
using effects = std::vector<effect>;

/// What happens is told by any thread (`admit`, `settled`, `request_close`, ...), and is only noted, with `wake` called
/// (outside of every lock) when there is something to decide. What follows from it is decided in `advance`, which one
/// thread at a time calls with the present time and which appends what is to be done. No CAF, no clock, no thread.
/// Thread safety: all members, except as they say. Counted references keep it alive.
class session_core : public task_owner {
public:
  /// @param parent Null for a root. The child is not listed with it before `parent.add_child`.
  /// @param deadline Absolute; the caller has taken the minimum with the parent's.
  session_core(session_id id, const session_options& options, std::optional<time_point> deadline, session_core* parent,
               source_location where, time_point now);

  // -- task_owner --
  std::error_code admit(task_record& task) noexcept override;
  bool settled(task_record& task, task_state outcome, const std::exception_ptr& error) noexcept override;
  std::error_code adopt(task_record& task) noexcept override;
  bool disown(task_record& task) noexcept override;
  void stale_completion(const task_record& task) noexcept override;
  session_id id() const noexcept override { return id_; }
  void add_ref() noexcept override { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept override;

  // -- what it is --
  session_state state() const noexcept { return state_.load(std::memory_order_acquire); }
  close_cause cause() const noexcept { return cause_.load(std::memory_order_acquire); }
  close_outcome outcome() const noexcept { return outcome_.load(std::memory_order_acquire); }
  const label& name() const noexcept { return name_; }
  std::optional<time_point> deadline() const noexcept { return deadline_; }
  session_core* parent() const noexcept { return parent_.get(); }
  /// "root/http/s7 'GET /orders'"
  std::string path() const;
  bool is_proper_ancestor_of(const session_core& other) const noexcept;

  // -- what happens --
  /// Ends `starting`. @returns false if it was asked to close meanwhile; then the caller arranges for `advance`.
  bool opened(time_point now) noexcept;
  /// Makes it one that was never open: for a handle to a session that could not be opened.
  void refuse(time_point now) noexcept;
  /// Starts an orderly close. Without effect on a closing session. @param limit When all must be over, if known.
  void request_close(close_cause cause, time_point now, std::optional<duration> budget = {},
                     std::optional<time_point> limit = {}) noexcept;
  /// Cancels tasks and children, and starts closing. Sticky; also reaches a session that is closing in order.
  void request_cancel(close_cause cause, time_point now) noexcept;
  /// The parent has come to `least` itself, and gives until `limit`.
  void force(session_state least, time_point now, time_point limit) noexcept;
  /// A failure that is not a task's. Treated as the policy says, except that `escalated` always ends the session.
  void fail(std::string error, close_cause cause = close_cause::task_failed) noexcept;
  /// An error worth reporting that ends nothing (a closer threw).
  void note_error(std::string error) noexcept;
  /// The supervisor's actor has died: whatever follows, this session ends as failed.
  void supervisor_lost(std::string error, time_point now) noexcept;

  /// `which` has crashed: of the tasks that are its, what has begun is lost, and the rest is dispatched again, once.
  void executor_crashed(const task_sink& which);
  /// Whether a task of the program's has begun on `which` and is not settled.
  bool has_begun_on(const task_sink& which) const;

  /// A child session, an actor or a resource is accepted while the session is open, else `session_closed`.
  std::error_code add_child(session_core& child) noexcept;
  void child_closed(session_core& child, std::shared_ptr<const cleanup_report> unclean) noexcept;
  std::error_code add_actor(std::uint32_t& number, std::string name, source_location where, time_point now);
  void actor_gone(std::uint32_t number) noexcept;
  /// The actor has died of itself: a failure of the session.
  void actor_failed(std::uint32_t number, const std::string& how) noexcept;
  std::error_code add_resource(std::uint32_t& number, std::string name, source_location where, time_point now);
  /// @param error Empty, or what the closer threw.
  void resource_released(std::uint32_t number, std::string error) noexcept;
  /// Counts a piece of work that was refused without being offered.
  void note_refused() noexcept;
  /// Delays the end of draining while something is about to be added. @returns false unless the session is open (or,
  /// with `even_closing`, not yet closed).
  bool hold(bool even_closing = false) noexcept;
  void unhold() noexcept;

  // -- what follows: one caller at a time --
  /// Decides. Until the session is closed, call it after every `wake` and when the last timer is due.
  void advance(time_point now, effects& out);
  /// Carries out the effects on tasks and child sessions. @returns false if `what` is none of those.
  bool carry_out(const effect& what, time_point now);

  // -- looks --
  /// A snapshot; final once the session is closed.
  /// @param quiescent Nothing will ever run again (simulator): who waits for anything but a timer never completes.
  cleanup_report report(time_point now, bool quiescent = false) const;
  /// Success if no user's task is unsettled and no child session is open.
  std::error_code validate(std::string* why) const;
  /// Whether the task is settled, or was never this session's.
  bool is_task_complete(task_id task) const noexcept;
  /// @returns false if there is no such unsettled task here.
  bool cancel_task(task_id task, close_cause cause) noexcept;
  /// Unsettled tasks of the user's.
  std::size_t unsettled() const noexcept;
  session_counters counters() const noexcept;
  std::vector<counted<session_core>> children() const;

protected:
  virtual ~session_core();
  /// There is something to decide. Called under no lock, from any thread.
  virtual void wake() noexcept {}
  /// A task failed under the `log` policy.
  virtual void log(const std::string&) noexcept {}
  /// The last abandoned closure has ended after the close, so that the resources it may have used can be released.
  virtual void late_release(const std::vector<std::uint32_t>&) noexcept {}
  /// Code was abandoned while it ran; the second call tells that it has returned.
  virtual void code_left_running() noexcept {}
  virtual void code_came_back() noexcept {}

private:
  struct owned_actor {
    std::uint32_t number;
    std::string name;
    source_location where;
    time_point since;
    bool asked = false;
    bool killed = false;
  };
  struct owned_resource {
    std::uint32_t number;
    std::string name;
    source_location where;
    time_point since;
    bool releasing = false;
  };
  /// Rarely needed, and not paid for by sessions that do without.
  struct extras {
    std::map<task_id, task_record*> adopted; // ordered: reports must not depend on addresses
    std::vector<owned_actor> actors;
    std::vector<owned_resource> resources;
    std::vector<std::string> errors;
    std::uint64_t dropped_errors = 0;
    std::vector<survivor> survivors; // named for good: abandoned tasks
    std::vector<std::shared_ptr<const cleanup_report>> child_reports;
    std::set<task_id> running_abandoned; // their code still runs, and may use the resources
  };
  enum tally : std::size_t { scoped, wait_until, daemon, internal_tasks, tally_count };

  static tally tally_of(const task_record& task) noexcept {
    return task.internal ? internal_tasks : static_cast<tally>(task.kind);
  }
  extras& more();
  bool is_open() const noexcept { return state_.load(std::memory_order_relaxed) <= session_state::open; }
  bool admits_late(const task_record& task) const noexcept;
  task_record* find(task_id task) const noexcept;
  void link(task_record& task) noexcept;
  bool forget(task_record& task) noexcept;
  bool drop_own_hold() noexcept;
  void add_error(std::string error) noexcept;
  void enter(session_state next, time_point now) noexcept;
  void begin_close(close_cause cause, time_point now, duration budget, std::optional<time_point> limit) noexcept;
  void limit_to(time_point limit, time_point now) noexcept;
  template <class F>
  void for_each_task(F f) const {
    for (auto* task = first_; task; task = task->owner_next)
      f(*task);
    if (extras_)
      for (auto& [id, task] : extras_->adopted)
        f(*task);
  }
  std::vector<counted<task_record>> unsettled_tasks() const;
  template <class F>
  bool settle_as(task_record& task, task_state how, F settle);
  bool step(time_point now, effects& out);
  bool start_if_due(time_point now) noexcept;
  void start_draining(effects& out);
  void cancel_everything(effects& out);
  void force_everything(effects& out);
  bool wind_up(time_point now, effects& out);
  void kill_everything(time_point now, effects& out);
  void give_up(time_point now, effects& out);
  void close(time_point now, effects& out);
  void set_timer(effects& out);
  void cancel_or_report(const effect& what, time_point now);
  void abandon(task_record& task, time_point now);
  std::uint32_t user_tasks() const noexcept { return unsettled_[scoped] + unsettled_[wait_until] + unsettled_[daemon]; }
  bool owns_anything() const noexcept; // that has to end before the close
  bool has_tasks() const noexcept { return first_ || (extras_ && !extras_->adopted.empty()); }
  void treat_failure(std::string error, close_cause cause) noexcept;
  void name_parts(std::vector<survivor>& out, time_point now) const;
  std::string internal_name(task_id task) const;

  const session_id id_;
  std::atomic<session_state> state_ = session_state::starting;
  std::atomic<close_cause> cause_ = close_cause::none;
  std::atomic<close_outcome> outcome_ = close_outcome::clean;
  const join_mode on_close_;
  const failure_policy on_failure_;
  std::atomic<std::uint32_t> references_ = 1;

  // Those who spawn and those who settle meet here: what they touch starts at a cache line and is close together.
  alignas(64) mutable spin_lock lock_; // guards everything below, and is held for short
  bool failing_ = false;
  bool failed_ = false;
  bool dirty_ = false;
  bool drain_started_ = false;
  bool cancel_sent_ = false;
  bool cancelling_sent_ = false;
  bool actors_asked_ = false;
  bool kill_sent_ = false;
  bool holding_resources_ = false;
  bool forced_ = false;
  bool holds_itself_ = false; // closed with tasks that still point here
  close_cause cancel_wanted_ = close_cause::none;
  close_cause fail_cause_ = close_cause::none;
  std::uint32_t last_task_ = 0;
  std::uint32_t last_part_ = 0;
  std::uint32_t holds_ = 0;
  std::array<std::uint32_t, tally_count> unsettled_ = {};
  std::array<std::uint32_t, tally_count> continuing_ = {}; // of those, the ones that may be continued
  task_record* first_ = nullptr;
  task_record* last_ = nullptr;
  session_counters counters_;
  session_core* first_child_ = nullptr; // the list holds a reference on each
  session_core* last_child_ = nullptr;
  session_core* previous_sibling_ = nullptr; // guarded by the parent's lock, like the next two
  session_core* next_sibling_ = nullptr;
  bool asked_to_close_ = false;
  std::uint64_t children_closed_ = 0, children_dirty_ = 0, children_failed_ = 0;
  std::unique_ptr<extras> extras_;

  const counted<session_core> parent_;
  const label name_;
  const source_location where_;
  const std::optional<time_point> deadline_;
  const duration grace_;
  const duration budget_;
  time_point total_end_ = {}, grace_end_ = {}, cancel_end_ = {}, kill_end_ = {};
  time_point timer_ = time_point::max(); // the last that was asked for
  std::array<time_point, session_state_count> entered_;
};

/// What a task is doing and waiting for. Takes the task's own locks, so call it under none.
survivor describe(const task_record& task, time_point now);

} // namespace troupe
