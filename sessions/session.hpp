// The handle of a session: spawn work in it, open sessions below it, close it, and read what became of it.
#pragma once
#include "executors/executor.hpp"
#include "sessions/cleanup_report.hpp"
#include "sessions/session_node.hpp"
#include "sessions/session_state.hpp"
#include <caf/expected.hpp>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace troupe {

template <class T>
class resource;
class asio_executor;

/// A session owns every task, actor, resource and session that is started in it, and closes only when all of them have
/// ended or been named as survivors. This is a cheap handle: copies mean the same session, keeping one does not keep
/// the session open. A default-constructed handle names no session and allows only `valid`, copying and destruction.
/// Thread safety: all members. Once the session's system is gone, only `id`, `name`, `path`, `state`, `cause`,
/// `outcome` and `error` may be called.
class session {
public:
  session() = default;

  bool valid() const noexcept { return static_cast<bool>(node_); }
  friend bool operator==(const session& a, const session& b) noexcept { return a.node_.get() == b.node_.get(); }

  session_id id() const noexcept { return node_->id(); }
  /// "root/http/s7 'GET /orders'"
  std::string path() const { return node_->path(); }
  label name() const { return node_->name(); }
  session_state state() const noexcept { return node_->state(); }
  bool is_open() const noexcept { return state() <= session_state::open; }
  close_cause cause() const noexcept { return node_->cause(); }
  /// How a closed session ended.
  close_outcome outcome() const noexcept { return node_->outcome(); }
  /// When it will be cancelled, if ever.
  std::optional<time_point> deadline() const noexcept { return node_->deadline(); }
  /// `session_closed` unless it accepts work; so for a handle from a refused `open_session`.
  std::error_code error() const noexcept {
    return is_open() ? std::error_code{} : make_error_code(errc::session_closed);
  }
  /// The session that this one belongs to; invalid for the root.
  session parent() const noexcept { return session{node_->parent_node()}; }
  /// The supervisor actor, for monitoring; an exit message asks the session to close. Null once it has closed.
  caf::actor address() const { return node_->address(); }

  /// Spawns `work` (see spawn_on for what it may be) as a task of this session. It starts on the given executor, never
  /// inside this call. A refusal shows at once in the task's `error()`: `session_closed` once the session has left
  /// `open`, `queue_full` from a bounded executor. Dropping the returned handle cancels a scoped task.
  template <class F>
  [[nodiscard]] task<detail::task_value_t<F>> spawn(F&& work, spawn_options options = {},
                                                    source_location where = source_location::current()) const {
    return spawn_on(*node_, options.on ? static_cast<task_sink&>(*options.on) : node_->default_sink(), options, where,
                    std::forward<F>(work));
  }
  /// The same for work that the session's end must wait for without anybody waiting now: it starts at once, delays
  /// nobody, and is shielded from cancellation until the session's grace has passed. A running wait_until task may
  /// spawn others while the session drains.
  template <class F>
  task<detail::task_value_t<F>> wait_until(F&& work, spawn_options options = {},
                                           source_location where = source_location::current()) const {
    options.kind = task_kind::wait_until;
    return spawn(std::forward<F>(work), std::move(options), where);
  }
  /// The same for work that goes on until the session closes, and is cancelled first then.
  template <class F>
  task<detail::task_value_t<F>> daemon(F&& work, spawn_options options = {},
                                       source_location where = source_location::current()) const {
    options.kind = task_kind::daemon;
    return spawn(std::forward<F>(work), std::move(options), where);
  }

  /// Opens a session below this one: it closes before this one does, at the earlier of both deadlines. If this one is
  /// not open, the result is closed from the start and has an `error()`.
  session open_session(const session_options& options = {}, source_location where = source_location::current()) const {
    return session{node_->open_child(options, where)};
  }

  /// Hands `work`, an unsettled task of this session, to `to`: this session or one above it (by default the root, which
  /// is audited too), and lets go of the handle. The task keeps its id.
  /// @returns `invalid_argument` if the task is another session's or `to` does not outlive this one, `session_closed`
  /// if `to` takes no more work; the handle then is the caller's still.
  template <class T>
  std::error_code detach(task<T>&& work, const session& to = {}) const {
    if (auto refused = hand_over(*work.cell(), to))
      return refused;
    std::move(work).detach();
    return {};
  }

  /// An Asio executor: whatever is submitted through it is work of this session. Include sessions/asio_executor.hpp,
  /// which says more, to use it.
  template <class Executor = asio_executor>
  Executor get_executor(spawn_options options = {}, source_location where = source_location::current()) const;

  /// Opens a resource that is closed with the session: after everything that may use it, in reverse order of
  /// acquisition, also after a failure. `open` runs in this call; `close` later, on a thread of the pool. What `close`
  /// throws is reported. If code that was abandoned may still use the resource, `close` waits for it, and the report
  /// says so. @returns `session_closed`, or what `open` returned; `close` then is never called.
  std::error_code acquire(std::string name, const std::function<std::error_code()>& open, std::function<void()> close,
                          source_location where = source_location::current()) const {
    return node_->acquire(std::move(name), open, std::move(close), where);
  }
  /// The same for a value: `open` returns it, or a caf::expected of it; `close` gets it by reference. What `open`
  /// throws comes out of this call.
  template <class Open, class Close>
  requires(!std::is_convertible_v<std::invoke_result_t<Open&>, std::error_code>) auto acquire(
      std::string name, Open&& open, Close&& close, source_location where = source_location::current()) const;

  /// Takes over an actor: once the session's work is done it is asked to exit, ahead of its mailbox, and killed if it
  /// does not. Its death before that, unless normal, is a failure of the session. @returns `session_closed`
  std::error_code own(const caf::actor& child, std::string name,
                      source_location where = source_location::current()) const {
    return node_->own(child, std::move(name), where);
  }

  /// Starts a child now, and again when it ends, as its spec and the supervision options say. Its failures are not the
  /// session's, unless there are too many of them: then the session ends as failed, and with the cause `escalated`,
  /// which is a failure of the session above. Children end with the session like other actors and daemons. A restart
  /// keeps the actor's number in the report. What `start` throws in this call comes out of it.
  /// @returns `session_closed`
  std::error_code supervise(child_spec child, source_location where = source_location::current()) const {
    return node_->supervise(std::move(child), where);
  }
  /// How children are restarted. @returns `invalid_argument` if there are some already
  std::error_code set_supervision(const supervision_options& options) const { return node_->set_supervision(options); }

  /// Whether the task has settled (or never was this session's).
  bool is_task_complete(task_id task) const noexcept { return node_->is_task_complete(task); }
  /// Cancels one unsettled task, shielded or not. @returns false if there is no such task here.
  bool cancel_task(task_id task, close_cause cause = close_cause::cancelled) const noexcept {
    return node_->cancel_task(task, cause);
  }
  /// Unsettled tasks.
  std::size_t unsettled() const noexcept { return node_->unsettled(); }
  /// The open sessions below this one, in order of opening.
  std::vector<session> children() const;

  /// Cancels everything in this session and below it, and starts closing. Sticky; repeating is harmless.
  void cancel(close_cause cause = close_cause::cancelled) const noexcept { node_->request_cancel(cause, node_->now()); }
  /// Starts an orderly close: new work is refused, daemons are cancelled, scoped tasks settle, the sessions below close
  /// in reverse order, wait_until tasks end, actors exit, resources are released. All of it within the shutdown budget
  /// (by default the one the session was opened with); what outlasts it is named in the report.
  /// @returns the report, for each caller; dropping it lets the close go on. Do not await it in a task of this session:
  /// it would wait for itself.
  task<cleanup_report> close(source_location where = source_location::current()) const { return close({}, where); }
  task<cleanup_report> close(std::optional<duration> budget, source_location where = source_location::current()) const {
    start_close(close_cause::completed, budget);
    return closed(where);
  }
  /// Starts an orderly close without waiting for the report.
  void start_close(close_cause cause = close_cause::completed, std::optional<duration> budget = {}) const noexcept {
    node_->request_close(cause, node_->now(), budget);
  }
  /// The report of the close, whoever starts it.
  task<cleanup_report> closed(source_location where = source_location::current()) const {
    return node_->closed_task(where);
  }
  /// How things stand: the final report of a closed session, else a snapshot whose survivors are the unfinished work.
  cleanup_report report() const { return node_->report(node_->now()); }
  /// The same at a time when nothing will ever run again: what waits for anything but a timer never completes.
  cleanup_report report_at_quiescence() const { return node_->report(node_->now(), true); }
  /// @returns `not_clean` while unfinished work is owned (tasks, sessions below), and says what in `why`.
  std::error_code validate_cleanup(std::string* why = nullptr) const { return node_->validate(why); }

  /// For implementations.
  explicit session(session_node* node) noexcept : node_(node) {}
  explicit session(counted<session_node> node) noexcept : node_(std::move(node)) {}
  session_node* node() const noexcept { return node_.get(); }

private:
  std::error_code hand_over(task_base& task, const session& to) const noexcept;

  counted<session_node> node_;
};

/// The session of the task that the calling thread runs now; invalid outside of any.
session current_session() noexcept;

/// What `session::acquire` returns for a value: access to it. Copies mean the same value. Valid until the session
/// closes it; using it from work of that session is safe.
template <class T>
class resource {
public:
  explicit resource(std::shared_ptr<T> value) noexcept : value_(std::move(value)) {}
  T& operator*() const noexcept { return *value_; }
  T* operator->() const noexcept { return value_.get(); }

private:
  std::shared_ptr<T> value_;
};

namespace detail {
template <class T>
struct opened_value {
  using type = T;
};
template <class T>
struct opened_value<caf::expected<T>> {
  using type = T;
};
} // namespace detail

template <class Open, class Close>
requires(!std::is_convertible_v<std::invoke_result_t<Open&>, std::error_code>) auto session::acquire(
    std::string name, Open&& open, Close&& close, source_location where) const {
  using opened = std::decay_t<std::invoke_result_t<Open&>>;
  using value = typename detail::opened_value<opened>::type;
  auto holder = std::make_shared<std::shared_ptr<value>>();
  caf::error failure;
  auto refused = acquire(
      std::move(name),
      [&]() -> std::error_code {
        auto result = open();
        if constexpr (std::is_same_v<opened, caf::expected<value>>) {
          if (!result) {
            failure = std::move(result.error());
            return make_error_code(errc::invalid_argument);
          }
          *holder = std::make_shared<value>(std::move(*result));
        } else {
          *holder = std::make_shared<value>(std::move(result));
        }
        return {};
      },
      std::function<void()>{[holder, close = std::forward<Close>(close)]() mutable {
        auto last = std::exchange(*holder, nullptr);
        close(*last);
      }},
      where);
  if (failure)
    return caf::expected<resource<value>>{std::move(failure)};
  if (refused)
    return caf::expected<resource<value>>{caf::make_error(caf::sec::runtime_error, refused.message())};
  return caf::expected<resource<value>>{resource<value>{*holder}};
}

} // namespace troupe
