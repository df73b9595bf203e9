// The supervisor actor: a shell that lets its session decide.
#include "sessions/supervisor.hpp"
#include "actors/caf_compat.hpp"
#include "platform/thread_release.hpp"
#include "sessions/session_node.hpp"
#include <caf/all.hpp>

namespace troupe {
namespace detail {
TROUPE_ATOM(wake_atom, "wake");
}
} // namespace troupe

TROUPE_BEGIN_MESSAGES(troupe_sessions, 1008);
TROUPE_MESSAGE(troupe_sessions, (troupe::detail::wake_atom));
TROUPE_END_MESSAGES(troupe_sessions);

namespace troupe {
namespace {

class supervisor final : public caf::event_based_actor, public internal_actor {
public:
  supervisor(caf::actor_config& config, counted<session_node> node)
      : event_based_actor(config), node_(std::move(node)) {
    troupe::set_exit_handler(*this, [this](caf::exit_msg& exit) {
      if (exit.reason == caf::exit_reason::kill)
        quit(exit.reason);
      else if (node_)
        node_->request_close(close_cause::cancelled, node_->now());
    });
    set_exception_handler([this](caf::scheduled_actor*, std::exception_ptr& error) -> caf::error {
      why_ = "its supervisor failed: " + describe(error);
      return caf::sec::runtime_error;
    });
    set_default_handler(caf::drop);
  }

  // An actor that never ran is destroyed without on_exit.
  ~supervisor() override { let_go(); }

  const char* name() const override { return "troupe.supervisor"; }

  caf::behavior make_behavior() override {
    return {[this](detail::wake_atom) {
      if (!node_)
        return;
      node_->turn();
      if (node_->state() == session_state::closed) {
        node_ = {};
        quit();
      }
    }};
  }

  void on_exit() override { let_go(); }

private:
  void let_go() noexcept {
    if (auto node = std::exchange(node_, {}))
      node->supervisor_died(why_.empty() ? "its supervisor was killed" : why_);
  }

  counted<session_node> node_;
  std::string why_;
};

} // namespace

caf::actor spawn_supervisor(caf::actor_system& system, session_node& node) {
  const bool is_foreign_thread = caf::logger::current_logger() == nullptr;
  auto made = system.spawn<supervisor, caf::lazy_init + caf::hidden>(counted<session_node>{&node});
  // Sessions are opened on threads of the host, too, which nobody makes forget the system in the end.
  if (is_foreign_thread)
    platform::release_thread();
  return made;
}

void wake_supervisor(const caf::strong_actor_ptr& supervisor) noexcept {
  post(caf::actor_cast<caf::actor>(supervisor), detail::wake_atom{});
}

} // namespace troupe
