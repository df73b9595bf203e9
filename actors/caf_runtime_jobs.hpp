// What both hosts of CAF share, and what each supplies: jobs as runnables or letters. Private to the CAF host.
#pragma once
#include "actors/caf_compat.hpp"
#include "actors/caf_runtime.hpp"
#include <atomic>
#include <caf/actor_registry.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/all.hpp>
#include <mutex>
#include <vector>

namespace troupe::detail {

class job_runnable;

/// Takes what CAF wants to run. On threads each job is a runnable of the background lane; with a router each message is
/// a letter. The version's own scheduler owns one and forwards to it.
class job_engine {
public:
  job_engine(platform::dispatcher& dispatcher, mail_router* router, std::size_t max_throughput)
      : dispatcher_(dispatcher), router_(router), throughput_(max_throughput) {}

  /// What actors are resumed with. Set once, before the first job.
  void use_context(caf_context& context) noexcept { context_ = &context; }
  caf_context& context() const noexcept { return *context_; }

  /// Takes over a reference. Thread safety: any thread.
  void enqueue(caf::resumable* job);
  /// @returns true if the job wants to go on.
  bool resume(caf::resumable* job);
  void dispatch(job_runnable* job);
  /// For `end_leftovers`; after `end_whoever_wakes` the job ends within the call.
  void keep(caf::resumable* job);
  /// CAF hands every actor that a send wakes to the sender's scheduler. One of another system than `own` must not run
  /// here: not on these threads, and not beyond the end of this system. @returns true if `job` went to its own.
  bool sends_home(caf::resumable* job, const caf::actor_system& own);
  /// Whether an actor of a simulated system has sent something to another system.
  bool has_departures() const noexcept { return has_departures_; }
  const platform::dispatcher& dispatcher() const noexcept { return dispatcher_; }
  mail_router* router() const noexcept { return router_; }
  /// From now on nothing is dispatched or routed: jobs wait for end_leftovers().
  void stop_dispatching() noexcept;
  /// The dispatcher runs nothing any more: actors with messages left end here, without handling them.
  void end_leftovers();
  /// From now on an actor that is sent something ends within the call: whoever has asked it hears that it is down.
  void end_whoever_wakes() noexcept { is_over_ = true; }

private:
  void end(caf::resumable* job);
  caf::resumable* take_leftover();
  void route(caf::resumable* job);

  platform::dispatcher& dispatcher_;
  mail_router* router_;
  std::size_t throughput_;
  caf_context* context_ = nullptr;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> is_over_ = false;
  bool has_departures_ = false;
  std::mutex mutex_;
  std::vector<caf::resumable*> leftovers_; // guarded by mutex_
};

/// Prints what actors write through caf::aout, at once and on the caller's thread.
struct direct_printer final : direct_actor {
  explicit direct_printer(caf::actor_config& config) : direct_actor(config) {}
  const char* name() const override { return "printer"; }
  void receive(caf::mailbox_element_ptr mail, caf_context*) override;
};

/// Refers to a function that is called with each message.
class mail_taker {
public:
  template <class F>
  explicit mail_taker(F& take)
      : take_(&take),
        call_([](void* f, caf::mailbox_element_ptr content) { (*static_cast<F*>(f))(std::move(content)); }) {}
  void operator()(caf::mailbox_element_ptr content) const { call_(take_, std::move(content)); }

private:
  void* take_;
  void (*call_)(void*, caf::mailbox_element_ptr);
};

// -- supplied by caf_runtime_0_17.cpp or caf_runtime_1.cpp --

/// Starts an actor system whose jobs go to an engine, and whose timers to the dispatcher.
/// @param number Unless 0, its actors get a node id made of it. CAF tells actors apart by number and node, and only its
///     network layer names a node: without this the handles of two systems' actors would be equal by chance. The only
///     system of a program goes without: a name is counted by all actors that have it, and they would meet there.
std::unique_ptr<caf::actor_system> start_actor_system(caf::actor_system_config& config,
                                                      platform::dispatcher& dispatcher, const host_options& options,
                                                      std::uint32_t number);
job_engine& engine_of(caf::actor_system& system) noexcept;
/// The same, or null if Troupe does not host the system.
job_engine* find_engine(caf::actor_system& system) noexcept;
/// Has the system's own scheduler take over a reference to a job, whoever's scheduler that is.
void schedule(caf::actor_system& home, caf::resumable* job);
/// Withdraws the timers, and ends the leftovers. The system itself does so, too, when it is destroyed.
void end_leftovers(caf::actor_system& system);
/// Ends an actor that will not run any more, and drops the reference.
void cleanup_and_release(caf::resumable* job);
/// If there is one message in an actor's mailbox, takes it out and blocks the mailbox; a shortcut for the most frequent
/// case. @returns null if there are none or several, or the version of CAF knows no shorter way
caf::mailbox_element_ptr take_only_mail(caf::scheduled_actor& actor);
/// Takes all messages out of an actor's mailbox, the urgent ones first, and gives them to `take`.
void take_mail(caf::scheduled_actor& actor, const mail_taker& take);
/// Of an actor that has ended. With CAF 1 it stays closed.
void reopen_mailbox(caf::scheduled_actor& actor) noexcept;

/// Ends an actor that does not run now as an error would. With CAF 0.17 messages to it still reach the router.
void crash(caf::scheduled_actor& actor, const caf::error& reason, caf_context* context);
/// The same message once more.
caf::mailbox_element_ptr copy_of(const caf::mailbox_element& mail);
/// Has what a message touches of an actor brought into the cache.
void prefetch_actor(const caf::local_actor& actor) noexcept;
/// Has the memory brought into the cache that says what the present behaviour of an actor is.
void prefetch_behavior_stack(const caf::scheduled_actor& actor) noexcept;
/// Has the present behaviour of an actor brought into the cache.
void prefetch_behavior(const caf::scheduled_actor& actor) noexcept;
/// Sends ahead of ordinary messages.
void send_exit(caf::abstract_actor& actor, caf::exit_reason reason, caf_context* context);
/// Tells apart types of content; the same in every run of one build of the program.
std::uint64_t content_type(const caf::mailbox_element& mail) noexcept;
/// Of whom it says that it has ended, by a `caf::down_msg` or `caf::exit_msg`; null if it does not.
caf::actor_addr told_of_in(const caf::mailbox_element& mail) noexcept;
/// Lets go of the reference to a system's logger that CAF leaves with the threads that spawn its actors.
void let_go_of_thread() noexcept;
/// Whether the actor has ended, or is being cleaned up.
bool has_ended(const caf::abstract_actor& actor) noexcept;
/// Whether nothing may be sent to it: with CAF 1 an actor that has ended looks for its system to count what it refuses,
/// and that may be gone. With 0.17 it answers for itself.
bool is_unreachable(const caf::abstract_actor& actor) noexcept;
/// Whether that is so for all actors that have ended: then whoever may still answer one needs its system.
bool ended_need_system() noexcept;
/// Puts a message into the mailbox of a blocking actor, without a detour.
void put(caf::local_actor& receiver, caf::mailbox_element_ptr content);
/// Whether CAF has named it for want of a name of its own.
bool is_nameless(const char* name) noexcept;

} // namespace troupe::detail
