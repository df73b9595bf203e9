// The simulator's engine: a dispatcher and mail router whose every step is a decision.
#pragma once
#include "actors/caf_runtime.hpp"
#include "platform/dispatcher.hpp"
#include "sim/entity.hpp"
#include "sim/event_list.hpp"
#include "sim/fault_injector.hpp"
#include "sim/life_watch.hpp"
#include "sim/look_ahead.hpp"
#include "sim/network.hpp"
#include "sim/outside.hpp"
#include "sim/random_source.hpp"
#include "sim/run_result.hpp"
#include "sim/simulation_options.hpp"
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace troupe {

class executor;

/// Ends a test's body, or a handler, that waits for something while the run is over.
struct run_is_over : std::runtime_error {
  using runtime_error::runtime_error;
};
/// Thrown out of a handler to end it: no error of the program.
struct injected_crash {};

/// One run: one thread, virtual time. Every effect of an event (a send, a spawn, a dispatch) waits in the outbox of
/// whoever caused it and leaves it in program order; what can happen next is in one list, from which the strategy
/// picks. Production code never knows: it sees a dispatcher. Thread safety: the thread that made it; work that comes
/// from another one is kept safe and makes the run fail.
class sim_engine final : public platform::dispatcher, public mail_router {
public:
  sim_engine(const simulation_options& options, strategy& order);
  ~sim_engine() override;

  // -- running --
  /// Lets one event happen, without moving the clock. @returns false if none is enabled, or the run has failed.
  bool step();
  /// Lets what the test has sent since the last event be on its way.
  void pump_frames();
  /// Moves the clock to the next timer, no further than `limit`. @returns false if there is none.
  bool advance_to_next_timer(platform::time_point limit = platform::time_point::max());
  /// Lets everything up to `target` happen, then sets the clock to it.
  void run_to(platform::time_point target);
  /// Whether nothing but guards of a shutdown can happen any more.
  bool only_housekeeping_left() const noexcept;

  /// Takes note of a failure; the first one counts. From then on `step` does nothing, until `begin_teardown`.
  void fail(verdict how, std::string message);
  /// If the run turns out to have failed without ending here, the present event is where it did.
  void suspect() noexcept;
  /// The present event has touched what others may see without a message.
  void observed() noexcept;
  bool has_failed() const noexcept { return result_.end != verdict::ok; }
  /// Whether nothing happens any more before `begin_teardown`: it has failed, or reached a limit that is no failure.
  bool is_over() const noexcept { return has_failed() || is_cut_short_; }
  /// From here on events happen in fifo order, unrecorded, so that the system can be taken down after any verdict.
  void begin_teardown() noexcept {
    tearing_down_ = true;
    readers_.clear();
    lives_.reset();
  }
  /// Ends all actors that still live, then drops whatever has not happened. Once.
  void end_all();

  std::uint64_t decide(decision_kind kind, const candidates& among);
  /// The run's nodes and links; without it nothing lies between anybody.
  network& use_network();
  /// Everything that the present event, or the test, spawns from now on is on this node. @returns where it was before
  std::uint32_t enter_node(std::uint32_t node) noexcept { return std::exchange(present_->who->node, node); }
  /// The test has changed what links do: nothing is reordered across that.
  void network_changed();

  // -- faults --
  bool passes_fault_point(std::string_view name);
  /// True if the running handler is to end here: its caller throws `injected_crash`.
  bool passes_crash_point(std::string_view name);
  void crash_node_now(std::uint32_t node);
  /// Where messages to whomever `host` starts on `node` arrive.
  entity& open_door(std::uint32_t node, node_host& host);
  void sent_to_door(entity& door, letter mail);
  /// Where the executors are found that may crash as time passes: those that have something to lose.
  void use_executors(std::function<std::vector<executor*>()> busy) { busy_executors_ = std::move(busy); }
  /// The actor never crashes. @returns false if no such actor lives
  bool spare(caf::actor_id actor);
  /// From here on nothing goes wrong any more.
  void stop_faults() noexcept { has_no_faults_left_ = true; }
  /// Fails the run if it was given budgets for faults that nothing in it could meet.
  void check_faults();

  /// One of [0, count), as the strategy likes.
  std::uint64_t choose(std::uint64_t count);
  /// Takes down what has come in from outside: a decision for each byte, so that the tape holds it.
  /// @returns it; nothing if there will be no more.
  std::optional<std::string> take_input(const input_source& read);
  /// Whether what comes from outside is read from its sources, and not from a tape or a fuzzer.
  bool is_live() const noexcept { return !order_.repeats_input(); }
  /// The run fails if CAF starts a thread for an actor of this system.
  void watch_threads_of(caf::actor_system& system) noexcept { hosted_ = &system; }
  /// Called after each event, with the steps so far; it may fail the run.
  void watch(std::function<void(std::uint64_t)> after_event) { after_event_ = std::move(after_event); }
  /// Has `read` called for the actor's state after its events, as long as it lives.
  void expose_state(const hosted_actor& actor, std::function<std::string()> read);
  /// From now on the state of an actor is read after each of its events.
  void read_states() noexcept { reads_states_ = true; }
  enum class state_detail {
    coarse, ///< As `strategy::state_is` says.
    exact,  ///< Equal only if what happens from here on is the same, as far as that is known; timers included.
  };
  /// Of everybody's state and everything that is on its way. @pre read_states() was called
  std::uint64_t state_hash(state_detail detail);
  /// After how many events the one that has been enabled for the longest time became so; the present number if none is.
  std::uint64_t oldest_enabled_since() const noexcept;
  /// Whether time would let anything happen, but for guards of a shutdown.
  bool awaits_time() const noexcept;
  /// What was handled since the last call and by whom, in words. Kept only while states are read.
  std::string take_last_handled() { return std::exchange(last_handled_, {}); }
  /// At rest: who awaits a response that will not come, a line for each; empty if nobody does.
  std::string awaited_in_vain() const;
  /// By whom the present event happens: the same in every run.
  std::uint64_t present_place() const noexcept { return present_->who->identity; }
  /// The test has handed over for as long as anything can happen; counts such stretches. 0: it has not.
  std::uint64_t endless_stretch() const noexcept { return is_endless_ && present_ == &outside_ ? stretches_ : 0; }
  /// Whether `state_hash` tells all there is: not what is on its way between nodes, nor which faults are left.
  bool has_whole_state() const noexcept { return !network_ && !faults_; }
  void begin_endless_stretch() noexcept {
    is_endless_ = true;
    ++stretches_;
  }
  void end_endless_stretch() noexcept { is_endless_ = false; }
  /// The number of events after which an unfair strategy has been replaced by a random walk.
  std::uint64_t fair_after() const noexcept { return options_.temperature_max / 5; }
  run_result& result() noexcept { return result_; }
  const simulation_options& options() const noexcept { return options_; }

  // -- platform::dispatcher --
  std::error_code dispatch(platform::lane where, platform::runnable& work, priority urgency) noexcept override;
  bool after_effects(platform::runnable& work) noexcept override;
  platform::timer_id dispatch_after(platform::duration delay, platform::lane where, platform::runnable& work,
                                    priority urgency) override;
  bool cancel(platform::timer_id timer) noexcept override;
  platform::time_point now() const noexcept override { return now_; }
  bool is_main_thread() const noexcept override {
    return is_on(platform::foreground_lane) || (present_ == &outside_ && !is_foreign());
  }
  bool is_on(platform::lane where) const noexcept override;
  platform::lane open_lane(std::string name, std::error_code& error) override;
  void close_lane(platform::lane where) noexcept override;
  std::error_code block_until(platform::latch& done, std::optional<platform::time_point> deadline) override;
  bool stop(platform::duration deadline) override;
  bool takes_work_from_any_thread() const noexcept override { return false; }
  std::size_t thread_count() const noexcept override { return 0; }

  // -- mail_router --
  bool is_home() const noexcept override { return !is_foreign(); }
  void defer(std::function<void()> work) override;
  void launched(newborn actor) override;
  void sent(letter mail) override;
  bool carries(caf::actor_id receiver) override;
  void departed() override;
  void moved_in(hosted_actor actor) override;
  void await(const std::function<bool()>& done, const char* what) override;
  [[noreturn]] void refuse(const char* why) override;

private:
  bool is_foreign() const noexcept { return std::this_thread::get_id() != thread_; }
  void take_in_foreign();

  // participants.cpp
  entity& new_entity(std::uint64_t identity);
  void free_entity(entity& gone) noexcept;
  void free_if_idle(entity& task) noexcept;
  /// The actor's, if it has one.
  entity* known_actor(caf::actor_id actor) const noexcept;
  entity& actor_entity(const hosted_actor& actor, std::uint64_t identity);
  entity& task_entity(platform::runnable& work, std::uint64_t identity);
  parcel& new_parcel();
  void free_parcel(parcel* gone) noexcept;
  parcel& effect();
  /// Under another number than its turn among the effects of the present event.
  parcel& effect(std::uint32_t number);
  void post(parcel& p);
  /// The actor in whose name a message is sent, if it has ended and some of what it has sent is still on its way: CAF
  /// tells of the end of an actor when all that it has sent is where it belongs.
  entity* ended_sender(const letter& mail);
  void send(parcel& p, entity& to, letter&& mail);
  void pump(entity& sender);
  void arrive(parcel* p);
  void tell_delivered(const parcel& p);
  void refresh(entity& actor);
  void enable(parcel& p, event_kind kind, const entity& place);
  /// Makes it the event that it is when it is enabled.
  void make_event(parcel& p, event_kind kind, const entity& place);
  void enable_step(parcel& p);
  void enable_head(serial_lane& lane, std::size_t priority);
  void drop_parcel(parcel* p) noexcept;
  /// Whether there is anything to decide.
  bool is_choice(decision_kind kind, std::size_t count) const noexcept {
    return count >= 2 && !tearing_down_ && (kind != decision_kind::event || options_.randomize_order);
  }
  /// What the strategy picks.
  std::size_t ask(decision_kind kind, const candidates& among);
  /// Which event is next. @pre one is enabled
  parcel& next_event();
  std::uint64_t decide_value(decision_kind kind, std::size_t count);

  // network.cpp
  /// Sends it on its way between nodes.
  void transmit(parcel& p, const link_settings& via);
  /// Its time in transit has passed: it can arrive, once none of its channel is before it.
  void reach(parcel& p);
  void arrive_from_transit(parcel& p);
  /// The present task asks somebody: the answer will be on its way to `port`, its address.
  void open_port(caf::actor_id port, std::uint64_t identity);
  void send_off(parcel& p, platform::duration latency, bool is_in_order);

  // engine_faults.cpp
  /// Asks whether one of `choices` that there is a budget for happens, and spends it. @returns null for none
  const fault_choice* decide_fault(std::uint64_t key, std::uint64_t parent, std::vector<fault_choice>&& choices);
  void note_fault(std::uint64_t identity);
  void tell(std::uint64_t identity, std::uint64_t parent, const entity& from, const entity& to, std::string what);

  // engine_link_faults.cpp
  enum class message_fault { none, lost, late, twice };
  message_fault fault_of_message(parcel& p);
  /// A message is gone, and nobody is told but the trace.
  void lose(parcel& p, const char* why);
  parcel& copy_of(const parcel& p);
  void add_partitions(std::vector<fault_choice>& choices, std::uint32_t node);
  void part(std::uint32_t a, std::uint32_t b, bool both_ways, std::uint64_t key);
  void touch(const entity& place);
  void touch_node(std::uint32_t node);

  // engine_task_faults.cpp
  bool refuses(const platform::runnable& work);
  /// At a step of a task: its thread may go away, or its executor.
  void faults_at_step(platform::runnable& work, entity& task, std::uint64_t identity);
  void add_executor_crashes(std::vector<fault_choice>& choices);
  void crash_executor(executor& which);

  // engine_crashes.cpp
  bool may_crash(const entity& actor) const noexcept;
  void add_crashes(std::vector<fault_choice>& choices, entity& actor) const;
  /// At the end of a handler, the actor still living: the only moments at which an actor, a node, or the links of the
  /// node can change for those who only see messages.
  void faults_after(entity& actor, std::uint64_t identity);
  void faults_of_new_time();
  void carry_out(const fault_choice& fault, std::uint64_t key);
  void crash_actor(entity& actor);
  void crash_node(std::uint32_t node);
  /// A message reaches a door: it goes to whoever is there, if anybody is.
  void pass_door(parcel& p);
  void lose_mail(entity& actor);
  entity& place_of_node(std::uint32_t node);
  void later(platform::duration delay, entity& place, std::uint64_t identity, const char* what,
             std::function<void()> act);

  /// Lets events happen until none is enabled, within reason.
  void run_out();
  serial_lane* find_lane(platform::lane where) noexcept;

  // engine.cpp
  /// Puts it onto the tape.
  void keep(decision_kind kind, std::size_t index, std::size_t count, std::uint64_t identity);
  void withdraw(parcel& p);
  void happen(parcel& p);
  void handle(entity& actor);
  void start(parcel& p);
  void run_work(parcel& p);
  void run_fault(parcel& p);
  /// A message reaches an actor that has crashed.
  void miss(parcel& p);
  /// An answer reaches the task that has asked.
  void answer(parcel& p);
  template <class Body>
  void within(entity& who, std::uint64_t identity, platform::lane lane, Body&& body, std::uint64_t cause = 0);

  // engine_trace.cpp
  void note(entity& place, std::uint64_t identity, event_kind kind);
  bool is_told() const noexcept { return options_.trace || options_.log_operations; }
  /// @returns where the entry stands in the trace, if it does.
  std::optional<std::size_t> trace(event_kind kind, const parcel& p, const entity& to, std::string what);
  void learn_name(entity& actor, const hosted_actor& hosted, std::optional<std::size_t> entry);

  // actor_state.cpp
  struct state_reader {
    std::function<std::string()> read;
    bool was_read = false;
  };
  /// The actor has just had the event `identity`, of which `entry` tells.
  void read_state(entity& actor, std::uint64_t identity, const hosted_actor& hosted, std::optional<std::size_t> entry);

  // wait_graph.cpp
  /// A request that has not been answered.
  struct open_request {
    std::uint64_t number = 0;
    const entity* to = nullptr;
    std::uint32_t generation = 0; ///< Of `to`: another one means that the actor is gone.
    std::string to_name;
    bool is_handled = false;
    bool is_lost() const noexcept { return to->generation != generation || to->has_ended; }
  };
  /// A message is sent: if it is a request it is open now, if it is a response the request is not any more.
  void note_request(const letter& mail, const entity& to);
  /// The actor has had an event, in which it has handled the request `number` of `sender`, if that is not 0.
  void note_waits(entity& actor, const hosted_actor& hosted, caf::actor_id sender, std::uint64_t number);
  /// The actor has crashed.
  void awaits_no_more(entity& actor);
  const open_request* awaited_by(const entity& actor) const noexcept;
  bool has_timeout(const entity& actor) const noexcept;
  std::string wait_text(const entity& actor, const open_request& open) const;
  /// Fails the run if `start` awaits, directly or not, what cannot come any more whatever else happens.
  void check_waits_of(const entity& start);

  // system_state.cpp
  std::uint64_t type_of(parcel& p) const;
  std::uint64_t hash_of(parcel& p) const;
  std::uint64_t hash_of(const parcel_queue& queue, state_detail detail) const;
  /// Something has happened whose outcome nobody tells: no later state is the same as an earlier one.
  void happened_unseen(std::uint64_t identity) noexcept;

  simulation_options options_;
  strategy& order_;
  const bool is_watched_;
  const bool tells_state_;
  std::thread::id thread_ = std::this_thread::get_id();
  run_result result_;
  bool tearing_down_ = false;
  bool has_no_faults_left_ = false;
  bool is_cut_short_ = false;
  bool has_ended_all_ = false;
  std::function<void(std::uint64_t)> after_event_;
  caf::actor_system* hosted_ = nullptr;
  bool stopped_ = false;

  event_list enabled_;
  look_ahead ahead_;
  /// Far from zero, so that "some time ago" can be computed.
  static constexpr platform::time_point epoch{std::chrono::hours{1}};
  platform::time_point now_;
  std::map<std::pair<platform::time_point, std::uint64_t>, parcel*> timers_;
  std::unordered_map<std::uint64_t, parcel*> timers_by_number_;
  std::uint64_t last_timer_ = 0;

  std::deque<entity> entities_;
  std::vector<entity*> spare_entities_;
  std::vector<entity*> actors_; // by their ids, which CAF counts up; null if it has ended, or is none of this run
  std::unordered_map<caf::actor_id, entity*> ports_; // of tasks that have asked somebody, in a network
  /// Actors that have ended with sends on their way, and others.
  std::unordered_map<caf::actor_id, entity*> ended_;
  std::vector<actor_anchor> anchors_;
  std::unique_ptr<life_watch> lives_; // if the strategy wants to know
  std::unordered_map<caf::actor_id, state_reader> readers_;
  std::deque<parcel> parcels_;
  parcel* spare_parcels_ = nullptr;
  std::unique_ptr<network> network_;       // if there is any
  std::unique_ptr<fault_injector> faults_; // if anything may go wrong
  std::function<std::vector<executor*>()> busy_executors_;
  entity* world_ = nullptr;        // where time passes, for what goes wrong then
  std::vector<serial_lane> lanes_; // [0] is the foreground lane

  event_frame outside_;
  event_frame* present_ = &outside_;

  bool reads_states_ = false;
  std::uint64_t unseen_ = 0; ///< Hash of all events at those who do not expose their state, while states are read.
  std::string last_handled_;
  std::unordered_map<caf::actor_id, std::vector<open_request>> requests_; // by who asks
  bool is_endless_ = false;
  std::uint64_t stretches_ = 0;
  random_source fair_random_;

  std::mutex foreign_mutex_;
  std::atomic<bool> has_foreign_ = false;
  std::vector<std::function<void()>> foreign_;                // guarded by foreign_mutex_
  std::uint64_t last_foreign_timer_ = std::uint64_t{1} << 63; // guarded by foreign_mutex_
};

} // namespace troupe
