// Requests from tasks to CAF actors.
#pragma once
#include "actors/async.hpp"
#include "actors/caf_compat.hpp"
#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/error.hpp>
#include <caf/expected.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>
#include <caf/unit.hpp>

namespace troupe {
namespace detail {

/// The untyped half: one request, its reply and its timeout.
class ask_suspension : public suspension<ask_suspension> {
public:
  ask_suspension(caf::strong_actor_ptr receiver, caf::message request, platform::duration timeout)
      : receiver_(std::move(receiver)), request_(std::move(request)), timeout_(timeout) {}
  ask_suspension(ask_suspension&& unstarted) = default;
  ~ask_suspension();
  bool await_ready() const noexcept { return false; }
  wait_info why() const noexcept;
  void begin(task_base& task, std::uint64_t ticket);

protected:
  /// The reply, or an error. Throws task_cancelled.
  caf::expected<caf::message> finish();

private:
  caf::strong_actor_ptr receiver_;
  caf::message request_;
  platform::duration timeout_;
  wake_timer timer_;
};

template <class T>
class ask_awaiter : public ask_suspension {
public:
  using ask_suspension::ask_suspension;
  using value = std::conditional_t<std::is_void_v<T>, caf::unit_t, T>;
  caf::expected<value> await_resume() {
    auto reply = this->finish();
    if (!reply)
      return std::move(reply.error());
    if constexpr (std::is_void_v<T>) {
      if (reply->empty() || reply->template match_elements<caf::unit_t>())
        return caf::unit;
    } else {
      if (reply->template match_elements<T>())
        return reply->template get_as<T>(0);
    }
    return caf::make_error(caf::sec::unexpected_response, *reply);
  }
};
} // namespace detail

/// Asks `receiver`, any CAF actor, and waits for its reply of type `T` (void: an empty reply).
/// The receiver may be an actor of another system of the process; to a simulated task that one is down.
/// @returns the reply; or an error: `sec::request_timeout` if none came within `timeout` (> 0, on the dispatcher's
/// clock), `sec::request_receiver_down` if the actor is gone, `sec::unexpected_response` for a reply of another type,
/// or the error that the actor answered with. A late reply is dropped. Success does not promise that the receiver is
/// still alive. Nothing of the request outlives the co_await: its timer is cancelled with it.
/// Only inside a task; throws task_cancelled if that is cancelled meanwhile.
/// Give a message of an aggregate type a name first: g++ 12 destroys an aggregate twice that is made within a co_await
/// expression.
template <class T, class Receiver, class... Content>
detail::ask_awaiter<T> ask(const Receiver& receiver, platform::duration timeout, Content&&... content) {
  return detail::ask_awaiter<T>{caf::actor_cast<caf::strong_actor_ptr>(receiver),
                                caf::make_message(std::forward<Content>(content)...), timeout};
}

} // namespace troupe
