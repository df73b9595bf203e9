// A session as an Asio executor: Asio operations and co_spawn'ed coroutines are work of the session. Needs Boost.Asio.
#pragma once
#include "actors/task.hpp"
#include "sessions/pending_work.hpp"
#include "sessions/session.hpp"
#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <exception>
#include <type_traits>
#include <utility>

namespace troupe {
namespace detail {
class asio_origin;
class asio_frame;
} // namespace detail

/// An Asio executor: from `session.get_executor()`, for `co_spawn`, `post`, `bind_executor`, `make_strand`, and the
/// I/O objects. Converts to `any_io_executor`.
///
/// Each function object that is submitted is a task of the session, of the kind, priority, label and executor that
/// `get_executor` was given; what it throws is that task's failure. It runs even if the session is cancelled meanwhile,
/// as Asio's programs expect of a completion handler. With `outstanding_work.tracked` (which Asio asks for by itself,
/// for as long as an operation or a coroutine is pending) the executor is a piece of unsettled work, too: the session
/// waits for it, or names it in its report, with the source line of `get_executor`.
///
/// While a session closes, what was accepted before may go on: as long as any work of this kind is pending through one
/// of the session's Asio executors, more is accepted. Else it is refused: the function object is destroyed within the
/// call, never runs, and counts as `rejected` in the session's report. A refusal throws nothing.
///
/// Cancelling the session cancels no operation by itself: see `spawn_awaitable` and `asio_cancellation`.
///
/// The executor is as concurrent as the one behind it: on the background executor use a strand, as on any pool. Copies
/// are cheap. It may outlive the session and the system; then it refuses everything. `context()` may not be used then.
/// Thread safety: all members.
class asio_executor {
public:
  /// Use `session::get_executor`.
  /// @pre the session's system still lives
  explicit asio_executor(const session& owner, spawn_options options = {},
                         source_location where = source_location::current());
  asio_executor(const asio_executor& other) noexcept;
  asio_executor(asio_executor&& other) noexcept
      : origin_(std::exchange(other.origin_, nullptr)), work_(std::exchange(other.work_, nullptr)),
        never_inline_(other.never_inline_), is_tracked_(other.is_tracked_) {}
  asio_executor& operator=(asio_executor other) noexcept {
    std::swap(origin_, other.origin_);
    std::swap(work_, other.work_);
    std::swap(never_inline_, other.never_inline_);
    std::swap(is_tracked_, other.is_tracked_);
    return *this;
  }
  ~asio_executor();

  /// The same for Troupe's own helpers: what they submit is left out of reports and counts.
  static asio_executor internal(const session& owner, spawn_options options, source_location where);

  /// The session, also after its end.
  session owner() const noexcept;
  /// Where I/O objects live that are made on this executor. On the Asio dispatcher, its `background_context`. On other
  /// dispatchers that take work from any thread, a context that the system owns: Asio adds a thread of its own to it
  /// with the first I/O object. In the simulator a context whose I/O never completes.
  boost::asio::execution_context& context() const noexcept;
  /// Whether the caller is inside a function object that was submitted through an executor of the same session, kind
  /// and lane.
  bool running_in_this_thread() const noexcept;

  /// Submits `work`. With `blocking.possibly`, the default, it runs at once if `running_in_this_thread()`; what it
  /// throws then fails the function object around it.
  template <class F>
  void execute(F&& work) const;

  // -- properties --
  boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept { return context(); }
  static constexpr boost::asio::execution::mapping_t query(boost::asio::execution::mapping_t) noexcept {
    return boost::asio::execution::mapping.thread;
  }
  boost::asio::execution::blocking_t query(boost::asio::execution::blocking_t) const noexcept {
    if (never_inline_)
      return boost::asio::execution::blocking.never;
    return boost::asio::execution::blocking.possibly;
  }
  boost::asio::execution::outstanding_work_t query(boost::asio::execution::outstanding_work_t) const noexcept {
    if (is_tracked_)
      return boost::asio::execution::outstanding_work.tracked;
    return boost::asio::execution::outstanding_work.untracked;
  }
  asio_executor require(boost::asio::execution::blocking_t::never_t) const noexcept { return with_blocking(true); }
  asio_executor require(boost::asio::execution::blocking_t::possibly_t) const noexcept { return with_blocking(false); }
  asio_executor require(boost::asio::execution::outstanding_work_t::tracked_t) const;
  asio_executor require(boost::asio::execution::outstanding_work_t::untracked_t) const noexcept;

  /// Whether they are interchangeable, tracked or not.
  friend bool operator==(const asio_executor& a, const asio_executor& b) noexcept { return a.is_same(b); }
  friend bool operator!=(const asio_executor& a, const asio_executor& b) noexcept { return !a.is_same(b); }

private:
  asio_executor() = default;
  asio_executor with_blocking(bool never) const noexcept {
    auto result = *this;
    result.never_inline_ = never;
    return result;
  }
  bool is_same(const asio_executor& other) const noexcept;
  /// Counts the refusal that follows, if so.
  bool refuses_all() const noexcept;
  void submit(detail::task_cell<void>* task) const noexcept;

  detail::asio_origin* origin_ = nullptr; // null only when moved from
  pending_work* work_ = nullptr;          // null unless tracked; also null if it was refused
  bool never_inline_ = false;
  bool is_tracked_ = false;
};

namespace detail {

/// One function object at work on this thread, and whatever runs inline in it.
class asio_frame {
public:
  explicit asio_frame(const asio_origin* origin) noexcept;
  ~asio_frame();
  asio_frame(const asio_frame&) = delete;
  asio_frame& operator=(const asio_frame&) = delete;
  static asio_frame* current() noexcept;
  const asio_origin* origin() const noexcept { return origin_; }
  /// Keeps the first one.
  void note(std::exception_ptr error) noexcept {
    if (!error_)
      error_ = std::move(error);
  }
  std::exception_ptr error() const noexcept { return error_; }

private:
  const asio_origin* origin_;
  asio_frame* outer_;
  std::exception_ptr error_;
};

/// The task of one function object.
template <class F>
class asio_task final : public task_cell<void> {
public:
  /// The executor keeps the origin.
  template <class G>
  asio_task(G&& work, asio_executor untracked, const asio_origin* origin)
      : executor_(std::move(untracked)), origin_(origin) {
    work_.emplace(std::forward<G>(work));
  }
  ~asio_task() override { destroy_work(); }

protected:
  step_result first_step() noexcept override {
    asio_frame frame{origin_};
    try {
      // As Asio has it: what a handler owns is gone before what it has started can see so.
      F work(std::move(*work_));
      work_.reset();
      std::move(work)();
    } catch (...) {
      frame.note(std::current_exception());
    }
    if (claim_end())
      store(frame.error());
    return step_result::ended;
  }
  step_result next_step(std::coroutine_handle<>) noexcept override { return step_result::ended; }
  std::exception_ptr destroy_work() noexcept override {
    try {
      work_.reset();
      return nullptr;
    } catch (...) {
      return std::current_exception();
    }
  }

private:
  void store(const std::exception_ptr& error) noexcept {
    if (!error) {
      result = outcome<void>::of_value({});
      return;
    }
    try {
      std::rethrow_exception(error);
    } catch (const task_cancelled& cancelled) {
      store_cancelled(cancelled.cause());
    } catch (...) {
      store_exception(error);
    }
  }

  const asio_executor executor_;
  const asio_origin* const origin_;
  destructible<F> work_;
};

} // namespace detail

template <class F>
void asio_executor::execute(F&& work) const {
  using function = std::decay_t<F>;
  if (!never_inline_ && running_in_this_thread()) {
    auto* frame = detail::asio_frame::current();
    try {
      function here(std::forward<F>(work));
      std::move(here)();
    } catch (...) {
      frame->note(std::current_exception());
    }
    return;
  }
  if (refuses_all()) {
    [[maybe_unused]] function refused(std::forward<F>(work));
    return;
  }
  submit(new detail::asio_task<function>{std::forward<F>(work),
                                         require(boost::asio::execution::outstanding_work.untracked), origin_});
}

template <class Executor>
Executor session::get_executor(spawn_options options, source_location where) const {
  return Executor{*this, std::move(options), where};
}

/// A completion handler for `co_spawn` when nobody waits for the end: what the coroutine throws is thrown on, and so
/// fails the session like a task's exception. (`asio::detached` drops it.)
struct or_fail_t {
  template <class... Values>
  void operator()(const std::exception_ptr& error, Values&&...) const {
    if (error)
      std::rethrow_exception(error);
  }
};
inline constexpr or_fail_t or_fail{};

} // namespace troupe
