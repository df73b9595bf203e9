// Hosting CAF 1.0 and 1.1: a scheduler and a clock put into the actor system as it starts.
#include "actors/caf_clock_1.hpp"
#include "actors/caf_runtime_jobs.hpp"
#include <caf/detail/actor_system_access.hpp>
#include <caf/detail/cleanup_and_release.hpp>
#include <caf/scheduler.hpp>

namespace troupe::detail {
namespace {

class dispatching_scheduler final : public caf::scheduler {
public:
  dispatching_scheduler(platform::dispatcher& dispatcher, const host_options& options)
      : engine_(dispatcher, options.router, options.max_throughput) {
    engine_.use_context(*this);
  }

  job_engine& engine() noexcept { return engine_; }
  void schedule(caf::resumable* job) override {
    if (!is_starting_)
      engine_.enqueue(job);
    else if (engine_.resume(job))
      engine_.keep(job);
  }
  void delay(caf::resumable* job) override {
    if (is_starting_ || !engine_.sends_home(job, *system))
      schedule(job);
  }
  void start() override {}
  void stop() override {
    clock->cancel_all();
    engine_.end_leftovers();
  }
  /// Until here CAF spawns actors of its own, which wait at once: they run within the call and are nobody's events.
  void started() noexcept { is_starting_ = false; }

  dispatcher_clock* clock = nullptr;
  caf::actor_system* system = nullptr;

private:
  job_engine engine_;
  bool is_starting_ = true;
};

struct parts {
  platform::dispatcher& dispatcher;
  const host_options& options;
  std::uint32_t number;
};

/// Makes the constructor for a system's own parts accessible.
class hosted_system final : public caf::actor_system {
public:
  hosted_system(caf::actor_system_config& config, parts& use) : actor_system(config, &set_up, &use) {}

private:
  static void set_up(caf::actor_system& system, caf::actor_system_config&, void* use) {
    auto& [dispatcher, options, number] = *static_cast<parts*>(use);
    auto scheduler = std::make_unique<dispatching_scheduler>(dispatcher, options);
    auto clock = std::make_unique<dispatcher_clock>(dispatcher);
    scheduler->clock = clock.get();
    scheduler->system = &system;
    caf::detail::actor_system_access access{system};
    if (number != 0) { // before the first actor
      caf::hashed_node_id::host_id_type host{};
      for (std::size_t i = 0; i < sizeof number; ++i)
        host[host.size() - 1 - i] = static_cast<std::uint8_t>(number >> 8 * i);
      access.node(caf::make_node_id(number, host));
    }
    access.scheduler(std::move(scheduler));
    access.clock(std::move(clock));
    access.printer(make_direct_actor<direct_printer>(system));
  }
};

dispatching_scheduler& scheduler_of(caf::actor_system& system) noexcept {
  return static_cast<dispatching_scheduler&>(system.scheduler());
}

} // namespace

std::unique_ptr<caf::actor_system> start_actor_system(caf::actor_system_config& config,
                                                      platform::dispatcher& dispatcher, const host_options& options,
                                                      std::uint32_t number) {
  [[maybe_unused]] static const bool once = (caf::core::init_global_meta_objects(), true);
  parts use{dispatcher, options, number};
  auto system = std::make_unique<hosted_system>(config, use);
  scheduler_of(*system).started();
  return system;
}

job_engine& engine_of(caf::actor_system& system) noexcept { return scheduler_of(system).engine(); }

job_engine* find_engine(caf::actor_system& system) noexcept {
  auto* hosting = dynamic_cast<dispatching_scheduler*>(&system.scheduler());
  return hosting ? &hosting->engine() : nullptr;
}

void schedule(caf::actor_system& home, caf::resumable* job) { home.scheduler().schedule(job); }

void end_leftovers(caf::actor_system& system) { scheduler_of(system).stop(); }

std::uint64_t content_type(const caf::mailbox_element& mail) noexcept {
  std::uint64_t hash = 14695981039346656037ull; // FNV-1a
  for (auto number : mail.payload.types())
    hash = (hash ^ number) * 1099511628211ull;
  return hash;
}

void let_go_of_thread() noexcept { caf::logger::current_logger(nullptr); }

void cleanup_and_release(caf::resumable* job) { caf::detail::cleanup_and_release(job); }

void prefetch_actor(const caf::local_actor&) noexcept {} // not measured
void prefetch_behavior_stack(const caf::scheduled_actor&) noexcept {}
void prefetch_behavior(const caf::scheduled_actor&) noexcept {}

caf::mailbox_element_ptr take_only_mail(caf::scheduled_actor&) { return nullptr; }

void take_mail(caf::scheduled_actor& actor, const mail_taker& take) {
  while (auto content = actor.mailbox().pop_front())
    take(std::move(content));
}

void reopen_mailbox(caf::scheduled_actor&) noexcept {}

caf::actor_addr told_of_in(const caf::mailbox_element& mail) noexcept {
  if (mail.payload.match_elements<caf::down_msg>())
    return mail.payload.get_as<caf::down_msg>(0).source;
  return mail.payload.match_elements<caf::exit_msg>() ? mail.payload.get_as<caf::exit_msg>(0).source : nullptr;
}

void crash(caf::scheduled_actor& actor, const caf::error& reason, caf_context* context) {
  if (actor.getf(caf::abstract_actor::is_initialized_flag)) {
    actor.quit(reason);
    actor.finalize();
  } else {
    actor.cleanup(caf::error{reason}, context);
  }
}

caf::mailbox_element_ptr copy_of(const caf::mailbox_element& mail) {
  return caf::make_mailbox_element(mail.sender, mail.mid, mail.payload);
}

void send_exit(caf::abstract_actor& actor, caf::exit_reason reason, caf_context* context) {
  actor.enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(caf::message_priority::high),
                                          caf::exit_msg{actor.address(), reason}),
                context);
}

// A scoped_actor takes its messages past the router: CAF 1 leaves no way in between.
void put(caf::local_actor&, caf::mailbox_element_ptr) {}

bool has_ended(const caf::abstract_actor& actor) noexcept {
  return actor.getf(caf::abstract_actor::is_terminated_flag);
}

bool is_unreachable(const caf::abstract_actor& actor) noexcept { return has_ended(actor); }

bool ended_need_system() noexcept { return true; }

bool is_nameless(const char* name) noexcept { return std::string_view{name} == "user.scheduled-actor"; }

} // namespace troupe::detail
