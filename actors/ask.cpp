// Requests from tasks: a task that asks has one address as a CAF actor, made when it first asks.
#include "actors/ask.hpp"
#include "actors/caf_runtime.hpp"
#include "actors/caf_runtime_jobs.hpp"
#include <caf/all.hpp>
#include <mutex>
#include <optional>

namespace troupe {
namespace {

/// A task's address. Takes one reply at a time; everything else that is sent to it is refused.
class reply_port final : public direct_actor {
public:
  explicit reply_port(caf::actor_config& config) : direct_actor(config) {}
  const char* name() const override { return "task"; }

  void receive(caf::mailbox_element_ptr mail, caf_context*) override {
    if (!mail->mid.is_response())
      refuse(*mail, caf::sec::unexpected_message);
    else if (!carried(*this, mail))
      arrived(std::move(mail));
  }

  void arrived(caf::mailbox_element_ptr mail) override {
    task_base* task = nullptr;
    std::uint64_t ticket = 0;
    {
      std::lock_guard guard{mutex_};
      if (!asker_ || mail->mid != awaited_)
        return; // late
      task = std::exchange(asker_, nullptr);
      ticket = ticket_;
      reply_ = take_content(*mail);
      task->add_ref();
    }
    task->wake(ticket);
    task->release();
  }

  /// @returns the id for the request whose reply will wake `task`.
  caf::message_id expect(task_base& task, std::uint64_t ticket) {
    std::lock_guard guard{mutex_};
    awaited_ = caf::make_message_id(++requests_).response_id();
    asker_ = &task;
    ticket_ = ticket;
    reply_.reset();
    return caf::make_message_id(requests_);
  }

  /// The reply, if it has come. From now on it would be late.
  std::optional<caf::message> take() {
    std::lock_guard guard{mutex_};
    asker_ = nullptr;
    return std::exchange(reply_, std::nullopt);
  }

private:
  std::mutex mutex_;
  task_base* asker_ = nullptr;
  std::uint64_t ticket_ = 0;
  std::uint64_t requests_ = 0;
  caf::message_id awaited_;
  std::optional<caf::message> reply_;
};

struct port_attachment final : task_attachment {
  explicit port_attachment(caf::actor_system& system) : address(make_direct_actor<reply_port>(system)) {}
  reply_port& port() const { return *static_cast<reply_port*>(address->get()); }
  caf::strong_actor_ptr address;
};

} // namespace

wait_info detail::ask_suspension::why() const noexcept {
  auto* task = task_base::current();
  return {.kind = wait_kind::reply,
          .receiver = receiver_ ? receiver_->id() : 0,
          .due = task->sink().dispatcher().now() + timeout_,
          .has_due = true};
}

void detail::ask_suspension::begin(task_base& task, std::uint64_t ticket) {
  // A reply to the simulator would come from outside of it, when the asker's time has long gone on.
  auto& here = task.sink().dispatcher();
  if (receiver_ && !here.takes_work_from_any_thread() && !runs_on(*receiver_->home_system, here))
    receiver_ = nullptr;
  if (receiver_ && is_unreachable(*receiver_->get()))
    receiver_ = nullptr;
  if (!receiver_) {
    task.wake(ticket);
    return;
  }
  if (!task.attachment())
    task.attach(std::make_unique<port_attachment>(task.sink().caf()));
  auto& attachment = static_cast<port_attachment&>(*task.attachment());
  auto id = attachment.port().expect(task, ticket);
  timer_.start(task, ticket, timeout_);
  enqueue(receiver_, attachment.address, id, std::move(request_));
}

caf::expected<caf::message> detail::ask_suspension::finish() {
  timer_.cancel();
  std::optional<caf::message> reply;
  if (auto* attachment = task_->attachment())
    reply = static_cast<port_attachment*>(attachment)->port().take();
  if (!reply)
    throw_if_cancelled();
  if (!receiver_)
    return caf::make_error(caf::sec::request_receiver_down);
  if (!reply)
    return caf::make_error(caf::sec::request_timeout);
  if (reply->match_elements<caf::error>()) {
    auto error = reply->get_as<caf::error>(0);
    // CAF 1.0 answers for an actor that has ended with an error that says nothing.
    return error ? std::move(error) : caf::make_error(caf::sec::request_receiver_down);
  }
  return std::move(*reply);
}

detail::ask_suspension::~ask_suspension() {
  // Destroyed while waiting (an abandoned task): a reply must not find the task any more.
  if (task_ && task_->attachment())
    static_cast<port_attachment*>(task_->attachment())->port().take();
}

} // namespace troupe
