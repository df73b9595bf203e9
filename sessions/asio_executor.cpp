// What an Asio executor of a session knows of where it came from, and how it hands tasks and operations to the session.
#include "sessions/asio_executor.hpp"
#include "platform/asio_context.hpp"
#include "sessions/pending_work.hpp"
#include <boost/asio/io_context.hpp>
#include <memory>
#include <mutex>

namespace troupe {
namespace {

namespace asio = boost::asio;

/// Where the I/O objects of a system live.
asio::execution_context& context_of(system_state& system) {
  if (auto* shared = platform::find_background_context(*system.dispatcher))
    return *shared;
  std::lock_guard guard{system.extension_mutex};
  if (!system.extension) {
    // A plain context gets a thread as soon as it has I/O to wait for. An io_context waits for somebody to run it.
    std::shared_ptr<asio::execution_context> made;
    if (system.dispatcher->takes_work_from_any_thread())
      made = std::make_shared<asio::execution_context>();
    else
      made = std::make_shared<asio::io_context>();
    system.extension = made;
  }
  return *static_cast<asio::execution_context*>(system.extension.get());
}

thread_local detail::asio_frame* innermost_frame = nullptr;

} // namespace

/// What all copies of an executor share.
class detail::asio_origin {
public:
  asio_origin(const session& of, spawn_options&& how, source_location where)
      : owner(of), options(std::move(how)),
        sink(options.on ? static_cast<task_sink&>(*options.on) : of.node()->default_sink()), where(where),
        context(context_of(of.node()->system())) {}

  bool is_same(const asio_origin& other) const noexcept {
    return owner == other.owner && &sink == &other.sink && options.kind == other.options.kind &&
           is_internal == other.is_internal;
  }
  session_node& node() const noexcept { return *owner.node(); }
  void add_ref() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }

  const session owner;
  const spawn_options options;
  task_sink& sink; // not touched once the session has closed: it may be gone then, like the context
  const source_location where;
  asio::execution_context& context;
  bool is_internal = false;

private:
  std::atomic<std::uint32_t> references_ = 1;
};

// -- frames -------------------------------------------------------------------

detail::asio_frame::asio_frame(const asio_origin* origin) noexcept : origin_(origin), outer_(innermost_frame) {
  innermost_frame = this;
}
detail::asio_frame::~asio_frame() { innermost_frame = outer_; }
detail::asio_frame* detail::asio_frame::current() noexcept { return innermost_frame; }

// -- executor -----------------------------------------------------------------

asio_executor::asio_executor(const session& owner, spawn_options options, source_location where)
    : origin_(new detail::asio_origin{owner, std::move(options), where}) {}

asio_executor asio_executor::internal(const session& owner, spawn_options options, source_location where) {
  asio_executor result{owner, std::move(options), where};
  result.origin_->is_internal = true;
  return result;
}

asio_executor::asio_executor(const asio_executor& other) noexcept
    : origin_(other.origin_), work_(other.work_), never_inline_(other.never_inline_), is_tracked_(other.is_tracked_) {
  if (origin_)
    origin_->add_ref();
  if (work_)
    work_->hold();
}

asio_executor::~asio_executor() {
  // The origin may hold the last reference to the session, which the end of the work is told to.
  if (work_)
    work_->let_go();
  if (origin_)
    origin_->release();
}

session asio_executor::owner() const noexcept { return origin_->owner; }

asio::execution_context& asio_executor::context() const noexcept { return origin_->context; }

bool asio_executor::running_in_this_thread() const noexcept {
  return innermost_frame && innermost_frame->origin()->is_same(*origin_);
}

asio_executor asio_executor::require(asio::execution::outstanding_work_t::tracked_t) const {
  auto result = *this;
  if (is_tracked_)
    return result;
  result.is_tracked_ = true;
  result.work_ = pending_work::start(origin_->node(), origin_->sink,
                                     {.kind = origin_->options.kind,
                                      .name = origin_->options.name,
                                      .internal = origin_->is_internal,
                                      .what = "an Asio operation or coroutine"},
                                     origin_->where);
  return result;
}

asio_executor asio_executor::require(asio::execution::outstanding_work_t::untracked_t) const noexcept {
  asio_executor result;
  result.origin_ = origin_;
  result.origin_->add_ref();
  result.never_inline_ = never_inline_;
  return result;
}

bool asio_executor::is_same(const asio_executor& other) const noexcept {
  return never_inline_ == other.never_inline_ &&
         (origin_ == other.origin_ || (origin_ && other.origin_ && origin_->is_same(*other.origin_)));
}

bool asio_executor::refuses_all() const noexcept {
  if (origin_->node().state() != session_state::closed)
    return false;
  origin_->node().note_refused();
  return true;
}

void asio_executor::submit(detail::task_cell<void>* cell) const noexcept {
  cell->kind = origin_->options.kind;
  cell->urgency = origin_->options.urgency;
  cell->name = origin_->options.name;
  cell->where = origin_->where;
  cell->internal = origin_->is_internal;
  cell->continues = true;
  cell->start(origin_->node(), origin_->sink);
  task<void>{cell}.detach();
}

} // namespace troupe
