// Hosting CAF 0.17: a scheduler module in front of the job engine.
#include "actors/caf_clock.hpp"
#include "actors/caf_runtime_jobs.hpp"
#include "platform/prefetch.hpp"
#include <caf/scheduler/abstract_coordinator.hpp>
#include <memory>

namespace troupe::detail {
namespace {

/// What CAF calls from inside a running actor.
struct unit final : caf::execution_unit {
  unit(caf::actor_system& system, job_engine& engine) : execution_unit(&system), engine(engine) {}
  void exec_later(caf::resumable* job) override {
    if (!engine.sends_home(job, system()))
      engine.enqueue(job);
  }
  job_engine& engine;
};

class coordinator final : public caf::scheduler::abstract_coordinator {
public:
  coordinator(caf::actor_system& system, platform::dispatcher& dispatcher, const host_options& options)
      : abstract_coordinator(system), engine_(dispatcher, options.router, options.max_throughput), clock_(dispatcher),
        unit_(system, engine_) {
    engine_.use_context(unit_);
  }

  job_engine& engine() noexcept { return engine_; }
  void enqueue(caf::resumable* job) override { engine_.enqueue(job); }
  bool detaches_utility_actors() const override { return false; }
  caf::actor_clock& clock() noexcept override { return clock_; }

  void start() override {
    caf::actor_config config{&unit_};
    utility_actors_[printer_id] =
        caf::make_actor<direct_printer, caf::actor>(system().next_actor_id(), system().node(), &system(), config);
  }

  void end_leftovers() {
    clock_.cancel_all();
    engine_.end_leftovers();
  }

  void stop() override {
    end_leftovers();
    utility_actors_[printer_id] = nullptr;
  }

private:
  job_engine engine_;
  dispatcher_clock clock_;
  unit unit_;
};

/// The way to a private member that the language leaves open: explicit instantiations may name it.
template <caf::node_id caf::actor_system::*Member>
struct node_access {
  friend caf::node_id& node_of(caf::actor_system& system) { return system.*Member; }
};
caf::node_id& node_of(caf::actor_system& system);
template struct node_access<&caf::actor_system::node_>;

using mailbox = std::decay_t<decltype(std::declval<caf::scheduled_actor&>().mailbox())>;
using inbox = mailbox::lifo_inbox_type;
template <inbox mailbox::*Member>
struct inbox_access {
  friend inbox& inbox_of(mailbox& of) { return of.*Member; }
};
inbox& inbox_of(mailbox& of);
template struct inbox_access<&mailbox::inbox_>;

void name_node(caf::actor_system& system, std::uint32_t number) {
  caf::node_id::default_data::host_id_type host{};
  for (std::size_t i = 0; i < sizeof number; ++i)
    host[host.size() - 1 - i] = static_cast<std::uint8_t>(number >> 8 * i);
  node_of(system) = caf::make_node_id(number, host);
}

coordinator& coordinator_of(caf::actor_system& system) noexcept {
  return static_cast<coordinator&>(system.scheduler());
}

auto& behavior_stack_of(const caf::scheduled_actor& actor) noexcept {
  // It belongs to those who derive from the class.
  struct deriving : caf::scheduled_actor {
    static auto stack() noexcept { return &deriving::bhvr_stack_; }
  };
  return const_cast<caf::scheduled_actor&>(actor).*deriving::stack();
}

} // namespace

std::unique_ptr<caf::actor_system> start_actor_system(caf::actor_system_config& config,
                                                      platform::dispatcher& dispatcher, const host_options& options,
                                                      std::uint32_t number) {
  auto make_scheduler = [&dispatcher, options, number](caf::actor_system& system) -> caf::actor_system::module* {
    if (number != 0) // before the first actor
      name_node(system, number);
    return new coordinator(system, dispatcher, options);
  };
  config.module_factories.emplace_back(std::move(make_scheduler));
  auto started = std::make_unique<caf::actor_system>(config);
  config.module_factories.pop_back();
  return started;
}

job_engine& engine_of(caf::actor_system& system) noexcept { return coordinator_of(system).engine(); }

job_engine* find_engine(caf::actor_system& system) noexcept {
  auto* hosting = dynamic_cast<coordinator*>(&system.scheduler());
  return hosting ? &hosting->engine() : nullptr;
}

void schedule(caf::actor_system& home, caf::resumable* job) { home.scheduler().enqueue(job); }

void end_leftovers(caf::actor_system& system) { coordinator_of(system).end_leftovers(); }

namespace {

/// Of its name. Names are long and messages many: those of the last few types are kept.
std::uint64_t name_hash(const std::type_info& type) noexcept {
  struct entry {
    const std::type_info* type = nullptr;
    std::uint64_t hash = 0;
  };
  static thread_local entry known[64];
  auto& slot = known[reinterpret_cast<std::uintptr_t>(&type) / alignof(std::type_info) % std::size(known)];
  if (slot.type != &type) {
    slot = {&type, 14695981039346656037ull};
    for (const char* name = type.name(); *name; ++name)
      slot.hash = (slot.hash ^ static_cast<unsigned char>(*name)) * 1099511628211ull;
  }
  return slot.hash;
}

} // namespace

std::uint64_t content_type(const caf::mailbox_element& mail) noexcept {
  // A hash of the names of the types, in this order; CAF's own token is the same for all types that are not built in.
  auto& content = mail.content();
  std::uint64_t hash = 14695981039346656037ull; // FNV-1a
  for (std::size_t i = 0; i < content.size(); ++i) {
    auto [number, type] = content.type(i);
    hash = (hash ^ number) * 1099511628211ull;
    if (number == 0 && type)
      hash = (hash ^ name_hash(*type)) * 1099511628211ull;
    // Atoms are how CAF programs name their messages.
    if (content.match_element<caf::atom_value>(i))
      hash = (hash ^ static_cast<std::uint64_t>(content.get_as<caf::atom_value>(i))) * 1099511628211ull;
  }
  return hash;
}

void let_go_of_thread() noexcept { caf::logger::set_current_actor_system(nullptr); }

void cleanup_and_release(caf::resumable* job) { caf::scheduler::abstract_coordinator::cleanup_and_release(job); }

caf::mailbox_element_ptr take_only_mail(caf::scheduled_actor& actor) {
  // Not by way of the queues behind it, which are long and were seldom touched lately.
  auto& stack = inbox_of(actor.mailbox());
  auto* last = stack.take_head();
  if (!last)
    return nullptr;
  if (!last->next) {
    stack.try_block();
    return caf::mailbox_element_ptr{last};
  }
  // As CAF takes them in.
  auto& queue = actor.mailbox().queue();
  for (caf::mailbox_element::node_pointer each = last; each;) {
    auto next = each->next;
    queue.lifo_append(inbox::promote(each));
    each = next;
  }
  queue.stop_lifo_append();
  return nullptr;
}

void take_mail(caf::scheduled_actor& actor, const mail_taker& take) {
  auto& box = actor.mailbox();
  box.fetch_more();
  auto take_all = [&](auto& queue) {
    while (auto content = queue.take_front())
      take(std::move(content));
  };
  take_all(std::get<caf::scheduled_actor::urgent_queue_index>(box.queue().queues()));
  take_all(std::get<caf::scheduled_actor::normal_queue_index>(box.queue().queues()));
}

void reopen_mailbox(caf::scheduled_actor& actor) noexcept {
  auto& in = inbox_of(actor.mailbox());
  if (!in.closed())
    return;
  std::destroy_at(&in);
  std::construct_at(&in);
  in.try_block();
}

void prefetch_actor(const caf::local_actor& actor) noexcept {
  // Its references, its flags, the head of its mailbox, its behaviours.
  for (auto at : {-64, 0, 120, 184, 568, 632})
    platform::prefetch(reinterpret_cast<const char*>(&actor) + at);
}

void prefetch_behavior_stack(const caf::scheduled_actor& actor) noexcept {
  if (auto& behaviors = behavior_stack_of(actor); !behaviors.empty())
    platform::prefetch(&behaviors.back());
}

void prefetch_behavior(const caf::scheduled_actor& actor) noexcept {
  auto& behaviors = behavior_stack_of(actor);
  if (behaviors.empty())
    return;
  const auto* top = reinterpret_cast<const char*>(behaviors.back().as_behavior_impl().get());
  if (!top)
    return;
  platform::prefetch(top);
  platform::prefetch(top + 64);
}

caf::actor_addr told_of_in(const caf::mailbox_element& mail) noexcept {
  auto& content = mail.content();
  const auto type = content.type_token();
  if (type == caf::make_type_token<caf::down_msg>())
    return content.get_as<caf::down_msg>(0).source;
  return type == caf::make_type_token<caf::exit_msg>() ? content.get_as<caf::exit_msg>(0).source : nullptr;
}

void crash(caf::scheduled_actor& actor, const caf::error& reason, caf_context* context) {
  if (actor.getf(caf::abstract_actor::is_initialized_flag)) {
    actor.quit(reason);
    actor.on_exit();
  }
  // Not the scheduled actor's own: it would close the mailbox, and then a request is refused while it is being sent.
  actor.caf::local_actor::cleanup(caf::error{reason}, context);
}

caf::mailbox_element_ptr copy_of(const caf::mailbox_element& mail) {
  return caf::make_mailbox_element(mail.sender, mail.mid, mail.stages, mail.copy_content_to_message());
}

void send_exit(caf::abstract_actor& actor, caf::exit_reason reason, caf_context* context) {
  actor.eq_impl(caf::make_message_id(caf::message_priority::high), nullptr, context,
                caf::exit_msg{actor.address(), reason});
}

bool has_ended(const caf::abstract_actor& actor) noexcept {
  return actor.getf(caf::abstract_actor::is_terminated_flag) || actor.getf(caf::abstract_actor::is_cleaned_up_flag);
}

bool is_unreachable(const caf::abstract_actor&) noexcept { return false; }

bool ended_need_system() noexcept { return false; }

bool is_nameless(const char* name) noexcept {
  return std::string_view{name} == "scheduled_actor" || std::string_view{name} == "event_based_actor";
}

} // namespace troupe::detail
