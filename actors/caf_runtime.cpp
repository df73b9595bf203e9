// Hosting CAF 0.17.6: a scheduler module whose jobs are the dispatcher's runnables, or a router's letters.
#include "actors/caf_runtime.hpp"
#include "actors/caf_clock.hpp"
#include <caf/actor_system_config.hpp>
#include <caf/all.hpp>
#include <caf/detail/sync_request_bouncer.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <iostream>
#include <mutex>
#include <vector>

#if CAF_VERSION < 1700 || CAF_VERSION >= 1800
#  error "Troupe hosts CAF 0.17; other versions differ in scheduler, clock and mailbox"
#endif

namespace troupe {
namespace {

/// Prints what actors write through caf::aout, at once and on the caller's thread.
struct direct_printer final : caf::monitorable_actor {
  explicit direct_printer(caf::actor_config& config) : monitorable_actor(config) {}
  const char* name() const override { return "printer"; }
  void enqueue(caf::mailbox_element_ptr mail, caf::execution_unit*) override {
    auto& content = mail->content();
    if (content.match_elements<caf::add_atom, caf::actor_id, std::string>())
      std::cout << content.get_as<std::string>(2) << std::flush;
  }
};

class coordinator;

/// What CAF calls from inside a running actor.
struct unit final : caf::execution_unit {
  explicit unit(coordinator& owner);
  void exec_later(caf::resumable* job) override;
  coordinator& owner;
};

/// A CAF job as a runnable. Kept for reuse per thread, since actors wake by the million.
class job_runnable final : public platform::runnable {
public:
  static job_runnable* make(coordinator& owner, caf::resumable* job);
  void run() noexcept override;
  void drop() noexcept override;
  platform::runnable_info info() const noexcept override { return {"actor", {}, 0, 0}; }

private:
  void recycle() noexcept;
  coordinator* owner_ = nullptr;
  caf::resumable* job_ = nullptr;

  static constexpr std::size_t spares_max = 256;
  struct spare_list {
    job_runnable* head = nullptr;
    std::size_t count = 0;
    ~spare_list() {
      while (head)
        delete std::exchange(head, static_cast<job_runnable*>(head->next_runnable));
    }
  };
  static thread_local spare_list spares;
};
thread_local job_runnable::spare_list job_runnable::spares;

class coordinator final : public caf::scheduler::abstract_coordinator {
public:
  coordinator(caf::actor_system& system, platform::dispatcher& dispatcher, mail_router* router,
              std::size_t max_throughput)
      : abstract_coordinator(system), dispatcher_(dispatcher), router_(router), throughput_(max_throughput),
        clock_(dispatcher), unit_(*this) {}

  void enqueue(caf::resumable* job) override {
    if (router_)
      route(job);
    else
      dispatch(job_runnable::make(*this, job));
  }

  bool detaches_utility_actors() const override { return false; }
  caf::actor_clock& clock() noexcept override { return clock_; }

  void start() override {
    caf::actor_config config{&unit_};
    utility_actors_[printer_id] =
        caf::make_actor<direct_printer, caf::actor>(system().next_actor_id(), system().node(), &system(), config);
  }

  /// The dispatcher runs nothing any more: actors with messages left end here, without handling them.
  void stop() override {
    end_leftovers();
    utility_actors_[printer_id] = nullptr;
  }

  void end_leftovers() {
    clock_.cancel_all();
    while (auto* job = take_leftover())
      end(job);
  }

  /// @returns true if the job wants to go on.
  bool resume(caf::resumable* job) {
    switch (job->resume(&unit_, throughput_)) {
    case caf::resumable::resume_later:
      return true;
    case caf::resumable::done:
    case caf::resumable::awaiting_message:
      caf::intrusive_ptr_release(job);
      return false;
    case caf::resumable::shutdown_execution_unit:
      return false;
    }
    return false;
  }

  void dispatch(job_runnable* job) {
    if (stopping_ || dispatcher_.dispatch(platform::background_lane, *job, priority::normal))
      job->drop();
  }

  const platform::dispatcher& dispatcher() const noexcept { return dispatcher_; }

  void keep(caf::resumable* job) {
    if (is_over_) {
      end(job);
      return;
    }
    std::lock_guard guard{mutex_};
    leftovers_.push_back(job);
  }

  /// From now on an actor that is sent something ends within the call: whoever has asked it hears that it is down.
  void end_whoever_wakes() noexcept { is_over_ = true; }

  /// A message of this system's has gone to another one.
  void note_departure() {
    if (router_)
      router_->departed();
  }

  /// From now on nothing is dispatched or routed: jobs wait for stop().
  void stop_dispatching() noexcept {
    stopping_ = true;
    router_ = nullptr;
  }

private:
  /// An actor that has run gets a kill, ahead of its mailbox: only its own exit destroys the state of a stateful one.
  void end(caf::resumable* job) {
    if (job->subtype() == caf::resumable::scheduled_actor) {
      auto* actor = static_cast<caf::scheduled_actor*>(job);
      if (actor->getf(caf::abstract_actor::is_initialized_flag)) {
        actor->eq_impl(caf::make_message_id(caf::message_priority::high), nullptr, &unit_,
                       caf::exit_msg{actor->address(), caf::exit_reason::kill});
        if (job->resume(&unit_, 1) == caf::resumable::done) {
          caf::intrusive_ptr_release(job);
          return;
        }
      }
    }
    cleanup_and_release(job);
  }

  caf::resumable* take_leftover() {
    std::lock_guard guard{mutex_};
    if (leftovers_.empty())
      return nullptr;
    auto* job = leftovers_.front();
    leftovers_.erase(leftovers_.begin());
    return job;
  }

  /// CAF calls this synchronously from inside every send to an actor whose mailbox is blocked, and all mailboxes are
  /// kept blocked: so each message is seen here, in program order, and taken out.
  void route(caf::resumable* job) {
    if (job->subtype() != caf::resumable::scheduled_actor) {
      dispatch(job_runnable::make(*this, job));
      return;
    }
    if (!router_->is_home()) {
      router_->defer([this, job] { enqueue(job); });
      return;
    }
    auto* actor = static_cast<caf::scheduled_actor*>(job);
    auto& box = actor->mailbox();
    box.fetch_more();
    bool any = false;
    auto take = [&](auto& queue) {
      while (auto content = queue.take_front()) {
        any = true;
        caf::intrusive_ptr_add_ref(job);
        router_->sent(letter{actor, std::move(content)});
      }
    };
    take(std::get<caf::scheduled_actor::urgent_queue_index>(box.queue().queues()));
    take(std::get<caf::scheduled_actor::normal_queue_index>(box.queue().queues()));
    box.try_block();
    if (any)
      caf::intrusive_ptr_release(job);
    else
      router_->launched(newborn{actor});
  }

  platform::dispatcher& dispatcher_;
  mail_router* router_;
  std::size_t throughput_;
  dispatcher_clock clock_;
  unit unit_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> is_over_ = false;
  std::mutex mutex_;
  std::vector<caf::resumable*> leftovers_; // guarded by mutex_
};

unit::unit(coordinator& owner_) : execution_unit(&owner_.system()), owner(owner_) {}

/// CAF hands every actor that a send wakes to the sender's unit. One of another system must not run here: not on these
/// threads, and not beyond the end of this system.
void unit::exec_later(caf::resumable* job) {
  if (job->subtype() == caf::resumable::scheduled_actor) {
    auto& home = static_cast<caf::scheduled_actor*>(job)->home_system();
    if (&home != &owner.system()) {
      owner.note_departure();
      home.scheduler().enqueue(job);
      return;
    }
  }
  owner.enqueue(job);
}

job_runnable* job_runnable::make(coordinator& owner, caf::resumable* job) {
  auto* spare = spares.head;
  if (spare) {
    spares.head = static_cast<job_runnable*>(spare->next_runnable);
    spare->next_runnable = nullptr;
    --spares.count;
  } else {
    spare = new job_runnable;
  }
  spare->owner_ = &owner;
  spare->job_ = job;
  spare->dispatcher_slot = 0;
  return spare;
}

void job_runnable::recycle() noexcept {
  if (spares.count >= spares_max) {
    delete this;
    return;
  }
  next_runnable = spares.head;
  spares.head = this;
  ++spares.count;
}

void job_runnable::run() noexcept {
  auto* owner = owner_;
  if (owner->resume(job_))
    owner->dispatch(this);
  else
    recycle();
}

void job_runnable::drop() noexcept {
  owner_->keep(job_);
  recycle();
}

coordinator& coordinator_of(caf::actor_system& system) { return static_cast<coordinator&>(system.scheduler()); }

} // namespace

// -- hosted actors ------------------------------------------------------------

caf::actor_id hosted_actor::id() const noexcept { return actor_->id(); }

std::string hosted_actor::name() const {
  if (!is_internal() && (!actor_->getf(caf::abstract_actor::is_initialized_flag) || !is_alive()))
    return "actor";
  std::string name = actor_->name();
  return name == "scheduled_actor" || name == "event_based_actor" ? "actor" : name;
}

bool hosted_actor::is_internal() const noexcept { return dynamic_cast<const internal_actor*>(actor_); }

bool hosted_actor::is_alive() const noexcept {
  return !actor_->getf(caf::abstract_actor::is_terminated_flag) &&
         !actor_->getf(caf::abstract_actor::is_cleaned_up_flag);
}

actor_anchor::actor_anchor(const hosted_actor& actor) : actor_(actor.actor_->ctrl()) {}

void actor_anchor::kill() const {
  if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(actor_))
    strong->get()->eq_impl(caf::make_message_id(caf::message_priority::high), nullptr, nullptr,
                           caf::exit_msg{strong->address(), caf::exit_reason::kill});
}

newborn::~newborn() {
  if (!actor_)
    return;
  if (initialised_)
    caf::intrusive_ptr_release(static_cast<caf::resumable*>(actor_));
  else
    caf::scheduler::abstract_coordinator::cleanup_and_release(actor_);
}

void newborn::initialise(const exception_observer& observer) {
  initialised_ = true;
  // Set before the actor's own code runs, so that a handler of its own replaces it.
  if (observer)
    actor_->set_exception_handler([observer](caf::scheduled_actor* self, std::exception_ptr& error) -> caf::error {
      observer(hosted_actor{self}, error);
      return caf::sec::runtime_error;
    });
  unit context{coordinator_of(actor_->home_system())};
  actor_->activate(&context);
}

letter::~letter() {
  if (!actor_)
    return;
  if (content_ && content_->mid.is_request())
    caf::detail::sync_request_bouncer{caf::exit_reason::unreachable}(*content_);
  caf::intrusive_ptr_release(static_cast<caf::resumable*>(actor_));
}

letter::result letter::deliver() {
  if (!is_alive()) {
    if (content_->mid.is_request())
      caf::detail::sync_request_bouncer{caf::exit_reason::unreachable}(*content_);
    content_.reset();
    return result::terminated;
  }
  auto& owner = coordinator_of(actor_->home_system());
  unit context{owner};
  switch (actor_->activate(&context, *content_)) {
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

bool letter::is_urgent() const noexcept { return content_->mid.is_urgent_message(); }
caf::actor_id letter::sender_id() const noexcept { return content_->sender ? content_->sender->id() : 0; }
std::string letter::describe() const { return caf::to_string(content_->content()); }

// -- host ---------------------------------------------------------------------

namespace {

/// Counts the systems that are not simulated, as long as they live.
class census {
public:
  ~census() {
    if (number_ != 0)
      --alive;
  }
  void take_part() noexcept {
    number_ = ++last;
    is_alone_ = alive++ == 0;
  }
  bool takes_part() const noexcept { return number_ != 0; }
  /// Of this system, never used twice; 0 if it is the only one, or takes no part.
  std::uint32_t number_among_others() const noexcept { return is_alone_ ? 0 : number_; }

private:
  static inline std::atomic<std::size_t> alive = 0;
  static inline std::atomic<std::uint32_t> last = 0;
  std::uint32_t number_ = 0;
  bool is_alone_ = false;
};

/// The way to a private member that the language leaves open: explicit instantiations may name it.
template <caf::node_id caf::actor_system::*Member>
struct node_access {
  friend caf::node_id& node_of(caf::actor_system& system) { return system.*Member; }
};
caf::node_id& node_of(caf::actor_system& system);
template struct node_access<&caf::actor_system::node_>;

/// CAF tells actors apart by number and node, and only its network layer names a node. Without this the handles of two
/// systems' actors would be equal by chance. The only system of a program goes without: a name is counted by all actors
/// that have it, and they would meet at that counter.
void name_node(caf::actor_system& system, std::uint32_t number) {
  caf::node_id::default_data::host_id_type host{};
  for (std::size_t i = 0; i < sizeof number; ++i)
    host[host.size() - 1 - i] = static_cast<std::uint8_t>(number >> 8 * i);
  node_of(system) = caf::make_node_id(number, host);
}

} // namespace

struct caf_host::state {
  explicit state(platform::dispatcher& on) : dispatcher(on) {}
  census counted;
  caf::actor_system_config config;
  platform::dispatcher& dispatcher;
  std::unique_ptr<caf::actor_system> system;
};

/// Systems that were destroyed while others still referred to their actors: CAF touches an actor's system when the last
/// reference goes. They run nothing.
class caf_host::attic {
public:
  static attic& of_process() {
    static auto* const all = new attic; // a reference may go at any time, also after main
    return *all;
  }
  void keep(std::unique_ptr<state> left) {
    std::lock_guard guard{mutex_};
    kept_.push_back({std::move(left)});
  }
  /// Destroys those that nobody refers to any more. Their last actor may just be about to end: so it takes two looks.
  void tidy() {
    std::vector<entry> gone;
    std::lock_guard guard{mutex_};
    for (auto& each : kept_)
      if (each.left->system->registry().running() == 0 && std::exchange(each.looked_empty, true))
        gone.push_back(std::move(each));
    std::erase_if(kept_, [](auto& each) { return !each.left; });
  }

private:
  struct entry {
    std::unique_ptr<state> left;
    bool looked_empty = false;
  };
  std::mutex mutex_;
  std::vector<entry> kept_; // guarded by mutex_
};

caf_host::caf_host(platform::dispatcher& dispatcher, const host_options& options)
    : state_(std::make_unique<state>(dispatcher)) {
  auto& config = state_->config;
  if (options.configure)
    options.configure(config);
  if (!options.router) // a simulated system meets no other
    state_->counted.take_part();
  const auto number = state_->counted.number_among_others();
  auto make_scheduler = [&dispatcher, options, number](caf::actor_system& system) -> caf::actor_system::module* {
    if (number != 0) // before the first actor
      name_node(system, number);
    return new coordinator(system, dispatcher, options.router, options.max_throughput);
  };
  config.module_factories.emplace_back(std::move(make_scheduler));
  state_->system = std::make_unique<caf::actor_system>(config);
  state_->system->await_actors_before_shutdown(false);
}

caf_host::~caf_host() {
  auto& scheduler = coordinator_of(*state_->system);
  scheduler.stop_dispatching();
  if (!state_->counted.takes_part())
    return;
  scheduler.end_leftovers();
  state_->system->await_detached_threads();
  attic::of_process().tidy();
  if (state_->system->registry().running() == 0)
    return;
  scheduler.end_whoever_wakes();
  attic::of_process().keep(std::move(state_));
}

caf::actor_system& caf_host::caf() noexcept { return *state_->system; }
platform::dispatcher& caf_host::dispatcher() noexcept { return state_->dispatcher; }
std::size_t caf_host::running_actors() const { return state_->system->registry().running(); }

bool runs_on(caf::actor_system& system, const platform::dispatcher& dispatcher) noexcept {
  auto* hosting = dynamic_cast<coordinator*>(&system.scheduler());
  return hosting && &hosting->dispatcher() == &dispatcher;
}

void send_urgent_exit(const caf::actor& actor, caf::exit_reason reason) {
  caf::anon_send<caf::message_priority::high>(actor, caf::exit_msg{actor->address(), reason});
}

} // namespace troupe
