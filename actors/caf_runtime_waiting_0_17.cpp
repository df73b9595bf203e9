// Where CAF 0.17 blocks a thread, or starts one: under a mail router it is the router that waits, and no thread starts.
//
// CAF offers no hook for any of this: a scoped_actor waits on a condition variable of its own. So these few functions
// of CAF's are defined anew; the program's loader prefers them to those in CAF's shared library (ELF symbol
// preemption). Where that does not work (CAF linked statically, or with -Bsymbolic) CAF's own run: then a scoped_actor
// that waits in a simulated run hangs, and a thread that is started makes it fail. Without a router they do what CAF's
// do.
#include "actors/caf_runtime_jobs.hpp"

namespace troupe::detail {

/// Set while a letter is delivered: it goes past the router then.
thread_local bool is_delivering = false;

void put(caf::local_actor& receiver, caf::mailbox_element_ptr content) {
  is_delivering = true;
  receiver.enqueue(std::move(content), nullptr);
  is_delivering = false;
}

} // namespace troupe::detail

#if TROUPE_CAF_MAJOR == 0 && defined(__ELF__)
#  include <caf/blocking_actor.hpp>
#  include <caf/detail/sync_request_bouncer.hpp>

namespace troupe::detail {
namespace {

mail_router* router_of(caf::actor_system& system) noexcept {
  auto* engine = find_engine(system);
  return engine ? engine->router() : nullptr;
}

/// Has the router wait, if there is one and this is its thread.
template <class Done>
bool is_awaited(caf::actor_system& system, const char* what, Done done) {
  auto* router = router_of(system);
  if (!router || !router->is_home())
    return false;
  router->await(done, what);
  return true;
}

} // namespace

} // namespace troupe::detail

namespace caf {

[[gnu::weak]] void local_actor::initialize() {
  // CAF calls this for a scoped_actor as it is made; other actors have an `initialize` of their own.
  if (!getf(is_blocking_flag))
    return;
  auto* router = troupe::detail::router_of(home_system());
  if (router && router->is_home())
    router->moved_in(troupe::hosted_actor{this});
}

[[gnu::weak]] void blocking_actor::enqueue(mailbox_element_ptr mail, execution_unit*) {
  auto* router = troupe::detail::is_delivering ? nullptr : troupe::detail::router_of(home_system());
  if (!router) {
    const auto id = mail->mid;
    const auto sender = mail->sender;
    if (!mailbox().synchronized_push_back(mtx_, cv_, std::move(mail)) && id.is_request())
      detail::sync_request_bouncer{exit_reason()}(sender, id);
    return;
  }
  auto send = [router, self = strong_actor_ptr{ctrl()}, mail = std::make_shared<mailbox_element_ptr>(std::move(mail))] {
    auto* receiver = static_cast<blocking_actor*>(self->get());
    intrusive_ptr_add_ref(receiver->ctrl());
    router->sent(troupe::letter{receiver, std::move(*mail)});
  };
  if (router->is_home())
    send();
  else
    router->defer(send);
}

[[gnu::weak]] void blocking_actor::await_data() {
  const auto has_mail = [this] { return !mailbox().empty(); };
  if (!troupe::detail::is_awaited(home_system(), "a scoped_actor waits for a message", has_mail))
    mailbox().synchronized_await(mtx_, cv_);
}

[[gnu::weak]] bool blocking_actor::await_data(timeout_type timeout) {
  auto* router = troupe::detail::router_of(home_system());
  if (!router || !router->is_home())
    return mailbox().synchronized_await(mtx_, cv_, timeout);
  if (mailbox().empty())
    router->refuse("a scoped_actor receives with a timeout (after), which CAF measures with the real clock: give the "
                   "timeout to the request instead, or let virtual time pass by sim.run_for");
  return true;
}

[[gnu::weak]] void actor_registry::await_running_count_equal(size_t expected) const {
  const auto is_reached = [=, this] { return running_ == expected; };
  if (troupe::detail::is_awaited(system_, "the test waits for the end of all actors", is_reached))
    return;
  std::unique_lock<std::mutex> guard{running_mtx_};
  running_cv_.wait(guard, is_reached);
}

[[gnu::weak]] void actor_system::inc_detached_threads() {
  // Called before the thread of a detached or a blocking actor is started.
  if (auto* router = troupe::detail::router_of(*this))
    router->refuse(troupe::thread_refusal);
  ++detached_;
}

} // namespace caf
#endif
