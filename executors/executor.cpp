// Executors: bounded queues, waiting for a task, and the actor that stands for an executor.
#include "executors/executor.hpp"
#include <caf/all.hpp>
#include <mutex>

namespace troupe {
namespace {

/// The CAF actor in front of an executor. It has no mailbox: what is enqueued becomes a task within the call.
class executor_actor final : public direct_actor {
public:
  executor_actor(caf::actor_config& config, executor& behind) : direct_actor(config), behind_(&behind) {}
  const char* name() const override { return "executor"; }

  void receive(caf::mailbox_element_ptr mail, caf_context* context) override {
    if (mail->content().match_elements<caf::exit_msg>()) {
      auto reason = mail->content().get_as<caf::exit_msg>(0).reason;
      detach_executor();
      cleanup(std::move(reason), context);
      return;
    }
    std::unique_lock guard{mutex_};
    if (!behind_) {
      guard.unlock();
      refuse(*mail, caf::sec::request_receiver_down);
      return;
    }
    if (!mail->content().match_elements<job>()) {
      guard.unlock();
      refuse(*mail, caf::sec::unexpected_message);
      return;
    }
    auto request = std::make_shared<caf::mailbox_element_ptr>(std::move(mail));
    auto what = (*request)->content().get_as<job>(0);
    auto started =
        behind_->spawn([request, work = std::move(what.work)] { answer(**request, work); }, {.name = what.name});
    auto refused = started.error();
    std::move(started).detach();
    guard.unlock();
    if (refused)
      refuse(**request, caf::make_error(caf::sec::runtime_error, refused.message()));
  }

  /// After it returns the executor is not touched any more. It takes no new tasks, unless another actor stands for it.
  void detach_executor(bool is_replaced = false) noexcept {
    std::lock_guard guard{mutex_};
    if (auto* executor = std::exchange(behind_, nullptr); executor && !is_replaced)
      executor->refuse_new_tasks();
  }

private:
  static void answer(caf::mailbox_element& request, const std::function<void()>& work) {
    caf::message reply;
    try {
      work();
    } catch (const std::exception& error) {
      reply = caf::make_message(caf::make_error(caf::sec::runtime_error, error.what()));
      if (!request.mid.is_request())
        throw;
    }
    if (request.mid.is_request() && request.sender)
      troupe::enqueue(request.sender, nullptr, request.mid.response_id(), std::move(reply));
  }

  std::mutex mutex_;
  executor* behind_; // guarded by mutex_
};

} // namespace

struct executor::face {
  mutable std::mutex mutex;
  caf::strong_actor_ptr address; // guarded by mutex
  caf::strong_actor_ptr get() const {
    std::lock_guard guard{mutex};
    return address;
  }
  static executor_actor& actor(const caf::strong_actor_ptr& of) { return *static_cast<executor_actor*>(of->get()); }
};

executor::executor(executor_environment& environment, executor_options options)
    : environment_(environment), options_(std::move(options)), face_(std::make_unique<face>()) {
  face_->address = make_direct_actor<executor_actor>(environment.host.caf(), *this);
}

executor::~executor() { executor::close(); }

void executor::close() noexcept {
  refuse_new_tasks(); // before: a crash may be under way
  const auto address = face_->get();
  auto& actor = face::actor(address);
  actor.detach_executor();
  actor.cleanup(caf::exit_reason::user_shutdown, nullptr);
}

void executor::crash(const caf::error& reason) {
  caf::strong_actor_ptr gone;
  {
    std::lock_guard guard{face_->mutex};
    if (closed_.load(std::memory_order_acquire))
      return;
    gone = std::exchange(face_->address, make_direct_actor<executor_actor>(environment_.host.caf(), *this));
  }
  auto& actor = face::actor(gone);
  actor.detach_executor(true);
  if (environment_.executor_crashed)
    environment_.executor_crashed(*this);
  actor.cleanup(caf::error{reason}, nullptr);
}

caf::actor executor::address() const { return caf::actor_cast<caf::actor>(face_->get()); }

std::error_code executor::submit(task_base& task) noexcept {
  if (closed_.load(std::memory_order_acquire))
    return errc::executor_down;
  if (options_.queue_bound != 0) {
    if (queued_.fetch_add(1) >= static_cast<std::ptrdiff_t>(options_.queue_bound)) {
      queued_.fetch_sub(1);
      return errc::queue_full;
    }
    auto none = task_base::slot_none;
    if (!task.slot.compare_exchange_strong(none, task_base::slot_counted))
      queued_.fetch_sub(1); // cancelled meanwhile
  }
  if (auto refused = resubmit(task)) {
    left_queue(task);
    return refused == platform::dispatch_errc::overloaded ? errc::queue_full : errc::executor_down;
  }
  return {};
}

std::error_code executor::resubmit(task_base& task) noexcept {
  return dispatcher().dispatch(options_.where, task, task.urgency);
}

void executor::left_queue(task_base& task) noexcept {
  if (options_.queue_bound != 0 && task.slot.exchange(task_base::slot_left) == task_base::slot_counted)
    queued_.fetch_sub(1);
}

void executor::wrong_thread(const task_base& task, const char* what) noexcept {
  environment_.bug("task " + to_string(task.id) + (task.name.empty() ? "" : " '" + task.name.str() + "'") +
                   " spawned at " + task.where.file_name() + ":" + std::to_string(task.where.line()) + " on the " +
                   options_.name + " executor was " + what + " on the wrong thread");
}

void executor::log(const std::string& line) noexcept { environment_.log(line); }

task_owner& executor::present_owner() const noexcept {
  auto* running = task_base::current();
  return running ? running->owner() : environment_.default_owner;
}

task<elapsed> executor::timer(platform::duration delay, source_location where) {
  auto due = dispatcher().now() + delay;
  return spawn(
      [this, due]() -> async<elapsed> {
        co_await sleep_for(due - dispatcher().now());
        co_return elapsed{due, dispatcher().now()};
      },
      {.name = "timer"}, where);
}

std::error_code executor::wait_settled(task_base& awaited, std::optional<platform::time_point> deadline) {
  if (task_base::current() == &awaited)
    return errc::would_deadlock;
  platform::latch done;
  task_waiter waiter;
  waiter.notify = [](void* latch) noexcept { static_cast<platform::latch*>(latch)->release(); };
  waiter.context = &done;
  if (!awaited.add_waiter(waiter))
    return {};
  auto error = dispatcher().block_until(done, deadline);
  awaited.remove_waiter(waiter);
  done.await_release();
  if (awaited.is_settled())
    return {};
  if (error == platform::dispatch_errc::timed_out)
    return errc::timed_out;
  if (error == platform::dispatch_errc::would_deadlock)
    return errc::would_deadlock;
  return error;
}

background_executor::background_executor(executor_environment& environment, std::size_t queue_bound)
    : executor(environment, {.name = "background", .where = platform::background_lane, .queue_bound = queue_bound}) {}

foreground_executor::foreground_executor(executor_environment& environment, std::size_t queue_bound)
    : executor(environment, {.name = "foreground", .where = platform::foreground_lane, .queue_bound = queue_bound}) {}

dedicated_executor::dedicated_executor(executor_environment& environment, std::string name, platform::lane lane,
                                       std::size_t queue_bound)
    : executor(environment, {.name = std::move(name), .where = lane, .queue_bound = queue_bound}) {}

dedicated_executor::~dedicated_executor() { dedicated_executor::close(); }

void dedicated_executor::close() noexcept {
  executor::close();
  dispatcher().close_lane(where());
}

} // namespace troupe
