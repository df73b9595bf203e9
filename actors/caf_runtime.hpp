// How a CAF actor system is hosted on a dispatcher. The only part of Troupe that knows caf::detail.
#pragma once
#include "platform/dispatcher.hpp"
#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/fwd.hpp>
#include <caf/mailbox_element.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

class hosted_actor;

/// Called with the actor and the exception that its handler let out. Runs inside the handler's step.
using exception_observer = std::function<void(const hosted_actor&, const std::exception_ptr&)>;

/// Marks an actor class as Troupe's own, which traces and counts leave out.
class internal_actor {
public:
  virtual ~internal_actor() = default;
};

/// A CAF actor as a mail_router sees it: named by a number that no other actor of its system ever has.
class hosted_actor {
public:
  explicit hosted_actor(caf::local_actor* actor) noexcept : actor_(actor) {}
  caf::actor_id id() const noexcept;
  /// The actor's own name; "actor" for the functor-based, whom CAF does not name, and for one that is not initialised
  /// or has ended: its name may be part of a state that is not there.
  std::string name() const;
  bool is_internal() const noexcept;
  bool is_alive() const noexcept;
  /// An actor that has ended takes mail again. What comes is refused as it is delivered, and not while it is sent.
  /// Nothing with CAF 1.
  void keep_mailbox_open() const;
  /// The number of the request whose response it handles before anything else (`request(...).await`); 0 for none.
  std::uint64_t awaited_request() const noexcept;

protected:
  friend class actor_anchor;
  caf::local_actor* actor_;
};

/// Refers to an actor without keeping it alive.
class actor_anchor {
public:
  explicit actor_anchor(const hosted_actor& actor);
  /// Asks the actor to end, if it still lives; it cannot refuse.
  void kill() const;
  /// Ends the actor within the call, if it still lives, as an error of its own would: its monitors hear of `reason`.
  /// Must not be called from inside its handler. With a router only. @returns whether it lived
  bool crash(const caf::error& reason) const;
  bool is_alive() const noexcept;
  /// Another number once somebody monitors the actor, links to it or attaches something, or does so no more; nothing
  /// once it has ended.
  std::optional<std::uint64_t> attachments() const noexcept;

private:
  caf::weak_actor_ptr actor_;
};

/// An actor that was spawned and has not run yet. Holds a reference to it; move-only.
class newborn : public hosted_actor {
public:
  explicit newborn(caf::scheduled_actor* actor) noexcept;
  newborn(newborn&& other) noexcept
      : hosted_actor(std::exchange(other.actor_, nullptr)), initialised_(other.initialised_) {}
  newborn& operator=(newborn&& other) noexcept {
    std::swap(actor_, other.actor_);
    std::swap(initialised_, other.initialised_);
    return *this;
  }
  ~newborn();
  /// Runs the actor's initialisation in this call. Exceptions go to `observer`, and end the actor as CAF does. Once.
  void initialise(const exception_observer& observer);

private:
  bool initialised_ = false;
};

/// One message on its way to an actor, taken out of the actor's mailbox. Holds a reference to the receiver; move-only.
/// A letter that is destroyed undelivered is lost; if it is a request, its sender is told that the receiver is down.
class letter : public hosted_actor {
public:
  letter(caf::local_actor* receiver, caf::mailbox_element_ptr content) noexcept
      : hosted_actor(receiver), content_(std::move(content)) {}
  letter(letter&& other) noexcept
      : hosted_actor(std::exchange(other.actor_, nullptr)), content_(std::move(other.content_)),
        direct_(std::move(other.direct_)) {}
  letter& operator=(letter&& other) noexcept {
    std::swap(actor_, other.actor_);
    std::swap(content_, other.content_);
    std::swap(direct_, other.direct_);
    return *this;
  }
  ~letter() {
    if (actor_)
      let_go();
  }

  enum class result { handled, skipped, terminated };
  /// Has the receiver handle the message in this call; a blocking one finds it in its mailbox from now on. After
  /// `skipped` the letter is whole and may be tried again once the receiver's behaviour may have changed.
  result deliver();
  /// It is delivered soon: has the message and its receiver brought into the cache.
  void prefetch() const noexcept;
  /// The same of where the receiver keeps its behaviour. The receiver should be in the cache by then.
  void prefetch_behavior_stack() const noexcept;
  /// The same of the behaviour, once the cache has where the receiver keeps it.
  void prefetch_behavior() const noexcept;
  bool is_urgent() const noexcept;
  /// Of a request: its number among its sender's; else 0.
  std::uint64_t request_number() const noexcept;
  /// Of a response: the number of the request that it answers; else 0.
  std::uint64_t answered_number() const noexcept;
  /// 0 if it was sent anonymously.
  caf::actor_id sender_id() const noexcept;
  /// Who has ended, if this is the news of it for who monitors that actor or is linked with it; 0 if it is not.
  caf::actor_id tells_of_end_of() const noexcept;
  /// Tells apart types of content; the same in every run of one build of the program.
  std::uint64_t content_type() const noexcept;
  /// The content as text, as CAF prints it.
  std::string describe() const;
  /// A letter without a receiver as yet: it must get one before anything but `lose`, `is_urgent`, `sender_id`,
  /// `content_type` and `describe` is called.
  static letter without_receiver(caf::mailbox_element_ptr content) noexcept { return {nullptr, std::move(content)}; }
  /// A letter to a `direct_actor`: of its receiver only the id is known, as `direct_receiver`.
  static letter to_direct(caf::strong_actor_ptr receiver, caf::mailbox_element_ptr content) noexcept;
  /// 0 if it is not to a `direct_actor`.
  caf::actor_id direct_receiver() const noexcept { return direct_ ? direct_->id() : 0; }
  /// @pre it has none, and `receiver` is an actor of this system that is resumed by its scheduler
  void address_to(const caf::strong_actor_ptr& receiver) noexcept;
  /// It never arrives, and nobody is told. Only destruction may follow.
  void lose() noexcept { content_.reset(); }
  /// The same message once more.
  letter duplicate() const;

private:
  void let_go() noexcept;
  caf::mailbox_element_ptr content_;
  caf::strong_actor_ptr direct_;
};

/// Decides when messages reach their receivers, one by one. With a router, nothing of CAF runs by itself: the router
/// initialises and delivers.
class mail_router {
public:
  /// Whether the calling thread is the one that runs the router's actors.
  virtual bool is_home() const noexcept = 0;
  /// Runs `work` on that thread, later: something was sent or spawned on another one.
  virtual void defer(std::function<void()> work) = 0;
  /// The following come on the home thread only.
  virtual void launched(newborn actor) = 0;
  virtual void sent(letter mail) = 0;
  /// A message goes to a `direct_actor`, which would take it within the call. @returns whether it shall come by `sent`
  virtual bool carries(caf::actor_id receiver) = 0;
  /// A message has gone to an actor of another system, past the router.
  virtual void departed() = 0;
  /// A blocking actor was made that lives on the home thread: a scoped_actor. Its mail comes as letters, too.
  virtual void moved_in(hosted_actor actor) = 0;
  /// Code on the home thread waits for something, which `what` names: lets others go on until `done` holds.
  /// @throws std::runtime_error if it never will
  virtual void await(const std::function<bool()>& done, const char* what) = 0;
  /// Takes note of something that no router can control. Any thread.
  /// @throws std::runtime_error always
  [[noreturn]] virtual void refuse(const char* why) = 0;

protected:
  ~mail_router() = default;
};

/// How CAF is hosted.
struct host_options {
  /// Messages that an actor may handle before others get their turn; without meaning when there is a router.
  std::size_t max_throughput = 300;
  /// If set, sees every message and decides its order; it must outlive the host.
  mail_router* router = nullptr;
  /// Applied to CAF's configuration before the actor system starts.
  std::function<void(caf::actor_system_config&)> configure = {};
};

/// A CAF actor system whose actors, timers and printer run on a dispatcher, without a thread of their own.
/// Thread safety: `caf()` is CAF's own; construct and destroy on the main thread. Before it is destroyed the
/// dispatcher must have stopped (or the router's work must be done): actors with messages left are ended then. Other
/// actors end with their last handle, or with the next message that is sent to them: a request is answered with
/// `request_receiver_down`.
///
/// Actors of several systems of a process may send to, request from, monitor and link each other; each one runs on the
/// dispatcher of its own system, and their handles differ.
class caf_host {
public:
  caf_host(platform::dispatcher& dispatcher, const host_options& options);
  ~caf_host();
  caf_host(const caf_host&) = delete;
  caf_host& operator=(const caf_host&) = delete;

  caf::actor_system& caf() noexcept;
  platform::dispatcher& dispatcher() noexcept;
  /// Actors that CAF counts as running: spawned, not hidden, not ended.
  std::size_t running_actors() const;

private:
  struct state;
  class attic;
  std::unique_ptr<state> state_;
};

/// Gives a message that `receiver`, a `direct_actor`, has been sent to the router, if there is one that carries it: it
/// comes back by `arrived`, later, or never, or twice. @returns whether it does; `mail` is empty then
bool carried(caf::abstract_actor& receiver, caf::mailbox_element_ptr& mail);

/// What a router says of an actor that wants a thread.
extern const char* const thread_refusal;

/// Whether `system` is hosted on `dispatcher`.
bool runs_on(caf::actor_system& system, const platform::dispatcher& dispatcher) noexcept;

/// Asks `actor` to end, ahead of all its ordinary messages. With `kill` as the reason it cannot refuse.
void send_urgent_exit(const caf::actor& actor, caf::exit_reason reason);

} // namespace troupe
