// What a router gets to see of CAF: actors, and the messages on their way to them.
#include "actors/caf_runtime_jobs.hpp"
#include "platform/prefetch.hpp"
#include <caf/all.hpp>

namespace troupe {

caf::actor_id hosted_actor::id() const noexcept { return actor_->id(); }

std::string hosted_actor::name() const {
  if (!is_internal() && !actor_->getf(caf::abstract_actor::is_blocking_flag) &&
      (!actor_->getf(caf::abstract_actor::is_initialized_flag) || !is_alive()))
    return "actor";
  std::string name = actor_->name();
  return detail::is_nameless(name.c_str()) ? "actor" : name;
}

const char* const thread_refusal =
    "an actor was spawned that wants a thread of its own (detached, or blocking), which the simulator cannot control: "
    "spawn it without caf::detached, or run an event-based actor in its place";

bool hosted_actor::is_internal() const noexcept { return dynamic_cast<const internal_actor*>(actor_); }

bool hosted_actor::is_alive() const noexcept { return !detail::has_ended(*actor_); }

void hosted_actor::keep_mailbox_open() const {
  if (auto* actor = dynamic_cast<caf::scheduled_actor*>(actor_))
    detail::reopen_mailbox(*actor);
}

std::uint64_t hosted_actor::awaited_request() const noexcept {
  // The list belongs to those who derive from the class.
  struct deriving : caf::scheduled_actor {
    static auto list() noexcept { return &deriving::awaited_responses_; }
  };
  auto* actor = dynamic_cast<const caf::scheduled_actor*>(actor_); // others wait inside of a handler
  if (!actor)
    return 0;
  auto& awaited = actor->*deriving::list();
  return awaited.empty() ? 0 : std::get<0>(awaited.front()).request_id().integer_value();
}

actor_anchor::actor_anchor(const hosted_actor& actor) : actor_(actor.actor_->ctrl()) {}

void actor_anchor::kill() const {
  if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(actor_))
    detail::send_exit(*strong->get(), caf::exit_reason::kill, nullptr);
}

namespace {
/// Newborns, and the receivers of all letters that an engine routes but for those of blocking actors.
caf::scheduled_actor* scheduled(caf::local_actor* actor) noexcept { return static_cast<caf::scheduled_actor*>(actor); }

std::uint64_t attachments_of(const caf::scheduled_actor& actor) noexcept {
  // The list belongs to those who derive from the class.
  struct deriving : caf::scheduled_actor {
    static auto first() noexcept { return &deriving::attachables_head_; }
  };
  std::uint64_t result = 0;
  for (auto* each = (actor.*deriving::first()).get(); each; each = each->next.get())
    result = (result ^ reinterpret_cast<std::uintptr_t>(each)) * 1099511628211ull; // FNV-1a
  return result;
}
} // namespace

newborn::newborn(caf::scheduled_actor* actor) noexcept : hosted_actor(actor) {}

bool actor_anchor::crash(const caf::error& reason) const {
  auto strong = caf::actor_cast<caf::strong_actor_ptr>(actor_);
  if (!strong)
    return false;
  auto& actor = static_cast<caf::scheduled_actor&>(*strong->get());
  if (detail::has_ended(actor))
    return false;
  detail::crash(actor, reason, &detail::engine_of(actor.home_system()).context());
  return true;
}

bool actor_anchor::is_alive() const noexcept {
  auto strong = caf::actor_cast<caf::strong_actor_ptr>(actor_);
  return strong && !detail::has_ended(static_cast<caf::scheduled_actor&>(*strong->get()));
}

std::optional<std::uint64_t> actor_anchor::attachments() const noexcept {
  auto strong = caf::actor_cast<caf::strong_actor_ptr>(actor_);
  if (!strong)
    return std::nullopt;
  auto& actor = static_cast<caf::scheduled_actor&>(*strong->get());
  return detail::has_ended(actor) ? std::nullopt : std::optional(attachments_of(actor));
}

newborn::~newborn() {
  if (!actor_)
    return;
  if (initialised_)
    caf::intrusive_ptr_release(actor_->ctrl());
  else
    detail::cleanup_and_release(scheduled(actor_));
}

void newborn::initialise(const exception_observer& observer) {
  initialised_ = true;
  // Set before the actor's own code runs, so that a handler of its own replaces it.
  if (observer)
    scheduled(actor_)->set_exception_handler(
        [observer](caf::scheduled_actor* self, std::exception_ptr& error) -> caf::error {
          observer(hosted_actor{self}, error);
          return caf::sec::runtime_error;
        });
  scheduled(actor_)->activate(&detail::engine_of(actor_->home_system()).context());
}

void letter::let_go() noexcept {
  if (content_ && content_->mid.is_request())
    refuse(*content_, caf::exit_reason::unreachable);
  caf::intrusive_ptr_release(actor_->ctrl());
}

void letter::address_to(const caf::strong_actor_ptr& receiver) noexcept {
  actor_ = static_cast<caf::scheduled_actor*>(receiver->get());
  caf::intrusive_ptr_add_ref(actor_->ctrl());
}

letter letter::to_direct(caf::strong_actor_ptr receiver, caf::mailbox_element_ptr content) noexcept {
  letter mail{nullptr, std::move(content)};
  mail.direct_ = std::move(receiver);
  return mail;
}

letter letter::duplicate() const {
  if (actor_)
    caf::intrusive_ptr_add_ref(actor_->ctrl());
  letter copy{actor_, detail::copy_of(*content_)};
  copy.direct_ = direct_;
  return copy;
}

letter::result letter::deliver() {
  if (direct_) {
    static_cast<direct_actor&>(*direct_->get()).arrived(std::move(content_));
    return result::handled;
  }
  if (!is_alive()) {
    if (content_->mid.is_request())
      refuse(*content_, caf::exit_reason::unreachable);
    content_.reset();
    return result::terminated;
  }
  if (actor_->getf(caf::abstract_actor::is_blocking_flag)) {
    detail::put(*actor_, std::move(content_));
    return result::handled;
  }
  switch (scheduled(actor_)->activate(&detail::engine_of(actor_->home_system()).context(), *content_)) {
  case caf::scheduled_actor::activation_result::skipped:
    return result::skipped;
  case caf::scheduled_actor::activation_result::terminated:
    content_.reset();
    return result::terminated;
  default:
    content_.reset();
    return result::handled;
  }
}

void letter::prefetch() const noexcept {
  if (!actor_ || !content_)
    return;
  detail::prefetch_actor(*actor_);
  platform::prefetch(content_.get());
  platform::prefetch(reinterpret_cast<const char*>(content_.get()) + 64);
}

void letter::prefetch_behavior_stack() const noexcept {
  if (actor_ && !actor_->getf(caf::abstract_actor::is_blocking_flag))
    detail::prefetch_behavior_stack(*scheduled(actor_));
}

void letter::prefetch_behavior() const noexcept {
  if (actor_ && !actor_->getf(caf::abstract_actor::is_blocking_flag))
    detail::prefetch_behavior(*scheduled(actor_));
}

bool letter::is_urgent() const noexcept { return content_->mid.is_urgent_message(); }
std::uint64_t letter::request_number() const noexcept {
  return content_->mid.is_request() ? content_->mid.request_id().integer_value() : 0;
}
std::uint64_t letter::answered_number() const noexcept {
  return content_->mid.is_response() ? content_->mid.request_id().integer_value() : 0;
}
caf::actor_id letter::sender_id() const noexcept { return content_->sender ? content_->sender->id() : 0; }
caf::actor_id letter::tells_of_end_of() const noexcept {
  const auto who = detail::told_of_in(*content_);
  if (!who)
    return 0;
  const auto strong = caf::actor_cast<caf::strong_actor_ptr>(who);
  return !strong || detail::has_ended(*strong->get()) ? who.id() : 0;
}
std::uint64_t letter::content_type() const noexcept { return detail::content_type(*content_); }
std::string letter::describe() const {
  auto text = caf::to_string(content_->content());
  constexpr std::string_view prefix = "message"; // CAF 1 puts it first
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

bool carried(caf::abstract_actor& receiver, caf::mailbox_element_ptr& mail) {
  auto* engine = detail::find_engine(*receiver.ctrl()->home_system);
  auto* router = engine ? engine->router() : nullptr;
  if (!router || !router->is_home() || !router->carries(receiver.id()))
    return false;
  router->sent(letter::to_direct(receiver.ctrl(), std::move(mail)));
  return true;
}

} // namespace troupe
