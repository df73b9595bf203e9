// Hosting CAF: jobs are the dispatcher's runnables, or a router's letters. What differs from version to version is in
// caf_runtime_0_17.cpp and caf_runtime_1.cpp.
#include "actors/caf_runtime.hpp"
#include "actors/caf_runtime_jobs.hpp"
#include "platform/thread_release.hpp"
#include <iostream>

namespace troupe {
namespace detail {

/// A CAF job as a runnable. Kept for reuse per thread, since actors wake by the million.
class job_runnable final : public platform::runnable {
public:
  static job_runnable* make(job_engine& owner, caf::resumable* job);
  void run() noexcept override;
  void drop() noexcept override;
  platform::runnable_info info() const noexcept override { return {"actor", {}, 0, 0}; }

private:
  void recycle() noexcept;
  job_engine* owner_ = nullptr;
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

void direct_printer::receive(caf::mailbox_element_ptr mail, caf_context*) {
  auto& content = mail->content();
  if (content.match_elements<caf::add_atom, caf::actor_id, std::string>())
    std::cout << content.get_as<std::string>(2) << std::flush;
}

void job_engine::enqueue(caf::resumable* job) {
  if (router_)
    route(job);
  else
    dispatch(job_runnable::make(*this, job));
}

bool job_engine::resume(caf::resumable* job) {
  switch (job->resume(context_, throughput_)) {
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

void job_engine::dispatch(job_runnable* job) {
  if (stopping_ || dispatcher_.dispatch(platform::background_lane, *job, priority::normal))
    job->drop();
}

void job_engine::keep(caf::resumable* job) {
  if (is_over_) {
    end(job);
    return;
  }
  std::lock_guard guard{mutex_};
  leftovers_.push_back(job);
}

void job_engine::stop_dispatching() noexcept {
  stopping_ = true;
  router_ = nullptr;
}

bool job_engine::sends_home(caf::resumable* job, const caf::actor_system& own) {
  if (job->subtype() != caf::resumable::scheduled_actor)
    return false;
  auto& home = static_cast<caf::scheduled_actor*>(job)->home_system();
  if (&home == &own)
    return false;
  if (router_) {
    has_departures_ = true;
    router_->departed();
  }
  schedule(home, job);
  return true;
}

void job_engine::end_leftovers() {
  while (auto* job = take_leftover())
    end(job);
}

/// An actor that has run gets a kill, ahead of its mailbox: only its own exit destroys the state of a stateful one.
void job_engine::end(caf::resumable* job) {
  if (job->subtype() == caf::resumable::scheduled_actor) {
    auto* actor = static_cast<caf::scheduled_actor*>(job);
    if (actor->getf(caf::abstract_actor::is_initialized_flag)) {
      send_exit(*actor, caf::exit_reason::kill, context_);
      if (job->resume(context_, 1) == caf::resumable::done) {
        caf::intrusive_ptr_release(job);
        return;
      }
    }
  }
  cleanup_and_release(job);
}

caf::resumable* job_engine::take_leftover() {
  std::lock_guard guard{mutex_};
  if (leftovers_.empty())
    return nullptr;
  auto* job = leftovers_.front();
  leftovers_.erase(leftovers_.begin());
  return job;
}

/// CAF calls this synchronously from inside every send to an actor whose mailbox is blocked, and all mailboxes are
/// kept blocked: so each message is seen here, in program order, and taken out.
void job_engine::route(caf::resumable* job) {
  if (job->subtype() != caf::resumable::scheduled_actor) {
    dispatch(job_runnable::make(*this, job));
    return;
  }
  if (!router_->is_home()) {
    router_->defer([this, job] { enqueue(job); });
    return;
  }
  auto* actor = static_cast<caf::scheduled_actor*>(job);
  if (auto only = take_only_mail(*actor)) {
    router_->sent(letter{actor, std::move(only)}); // with the job's reference
    return;
  }
  bool any = false;
  auto send = [&](caf::mailbox_element_ptr content) {
    any = true;
    caf::intrusive_ptr_add_ref(job);
    router_->sent(letter{actor, std::move(content)});
  };
  take_mail(*actor, mail_taker{send});
  actor->mailbox().try_block();
  if (any)
    caf::intrusive_ptr_release(job);
  else
    router_->launched(newborn{actor});
}

job_runnable* job_runnable::make(job_engine& owner, caf::resumable* job) {
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

} // namespace detail

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

} // namespace

struct caf_host::state {
  state(platform::dispatcher& on, const host_options& options)
      : dispatcher(on), is_standard(options.router && !options.configure) {
    config = is_standard && spare ? std::move(spare) : std::make_unique<caf::actor_system_config>();
    if (options.configure)
      options.configure(*config);
  }
  ~state() {
    system.reset();
    if (is_standard)
      spare = std::move(config);
  }
  /// Making a configuration costs more than a small simulated run. Nothing changes one that nobody has configured, so
  /// it serves the next run as well.
  static thread_local std::unique_ptr<caf::actor_system_config> spare;

  census counted;
  std::unique_ptr<caf::actor_system_config> config;
  platform::dispatcher& dispatcher;
  const bool is_standard;
  std::unique_ptr<caf::actor_system> system;
};
thread_local std::unique_ptr<caf::actor_system_config> caf_host::state::spare;

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
    : state_(std::make_unique<state>(dispatcher, options)) {
  if (!options.router) // a simulated system meets no other
    state_->counted.take_part();
  state_->system =
      detail::start_actor_system(*state_->config, dispatcher, options, state_->counted.number_among_others());
  state_->system->await_actors_before_shutdown(false);
  platform::thread_release_hook.store(detail::let_go_of_thread, std::memory_order_release);
  // The system may be destroyed by another thread while this one lives on, as after GCD's dispatch_main.
  platform::release_thread();
}

caf_host::~caf_host() {
  auto& system = *state_->system;
  auto& engine = detail::engine_of(system);
  engine.stop_dispatching();
#ifdef __EMSCRIPTEN__
  // Detached actors get no thread here: their spawn throws, after CAF has counted them, and it would wait for them.
  while (system.detached_actors() > 0)
    system.dec_detached_threads();
#endif
  if (engine.has_departures() && detail::ended_need_system()) {
    static_cast<void>(state_.release()); // who has got something from here may answer at any time
    return;
  }
  if (!state_->counted.takes_part() || system.detached_actors() > 0)
    return;
  detail::end_leftovers(system);
  attic::of_process().tidy();
  if (system.registry().running() == 0)
    return;
  engine.end_whoever_wakes();
  attic::of_process().keep(std::move(state_));
}

caf::actor_system& caf_host::caf() noexcept { return *state_->system; }
platform::dispatcher& caf_host::dispatcher() noexcept { return state_->dispatcher; }
std::size_t caf_host::running_actors() const { return state_->system->registry().running(); }

bool runs_on(caf::actor_system& system, const platform::dispatcher& dispatcher) noexcept {
  auto* engine = detail::find_engine(system);
  return engine && &engine->dispatcher() == &dispatcher;
}

void send_urgent_exit(const caf::actor& actor, caf::exit_reason reason) {
  if (auto* receiver = caf::actor_cast<caf::abstract_actor*>(actor))
    detail::send_exit(*receiver, reason, nullptr);
}

} // namespace troupe
