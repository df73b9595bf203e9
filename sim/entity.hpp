// The participants of a run and what is on its way between them.
#pragma once
#include "actors/caf_runtime.hpp"
#include "platform/dispatcher.hpp"
#include "sim/event_list.hpp"
#include "sim/fault_options.hpp"
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace troupe {

/// As traces and messages name it.
inline std::string name_of(const hosted_actor& actor) { return actor.name() + "#" + std::to_string(actor.id()); }

struct entity;
struct channel;
class node_host;

/// A dispatched runnable on its way to its lane.
struct lane_work {
  platform::runnable* work = nullptr;
  platform::lane lane;
  priority urgency = priority::normal;
};

/// Something that a fault or its end does, once its time has come.
struct fault_work {
  std::unique_ptr<std::function<void()>> act;
  const char* what = "";
};

/// What a parcel may have beyond what every message needs.
struct parcel_extras {
  channel* through = nullptr;     ///< For a message in transit that must not overtake others.
  std::string from_name;          ///< Kept only if there is a trace or a log: `from` may stand for another one by then.
  platform::time_point due = {};  ///< For timers, and for messages that take their time.
  std::uint64_t timer = 0;        ///< Number of the timer, 0 for none.
  std::uint64_t content_type = 0; ///< Of a letter, once somebody has asked; 0 before.
  std::uint64_t content_hash = 0; ///< The same of what it says.
  std::uint64_t origin = 0;       ///< Hash of what has caused it: a state, a message. Kept only while states are read.
};
inline const parcel_extras no_extras;

/// One effect of an event that has not taken place everywhere yet: a message, a new actor, a dispatched runnable. It is
/// itself the event that is next for it: a message's arrival, then its handling. What every message needs comes first,
/// in two cache lines: many are under way at once, and each line of one counts.
struct alignas(64) parcel : event {
  parcel* next = nullptr;
  entity* from = nullptr;
  entity* to = nullptr; ///< The receiver of a message, the new actor, the serial lane; null for background work.
  std::variant<std::monostate, letter, newborn, lane_work, fault_work> content;

  const parcel_extras& extras() const noexcept { return has_extras ? extras_ : no_extras; }
  /// To be written: it has some from now on.
  parcel_extras& own_extras() {
    if (!has_extras)
      extras_ = {};
    has_extras = true;
    return extras_;
  }

private:
  parcel_extras extras_; // Of an earlier use of the storage, if it has none: forgetting them would touch them.
};
inline parcel& parcel_of(event& e) noexcept { return static_cast<parcel&>(e); }

/// Parcels in order, linked through `next`.
class parcel_queue {
public:
  bool empty() const noexcept { return !head_; }
  parcel* front() const noexcept { return head_; }
  void push_back(parcel* p) noexcept {
    p->next = nullptr;
    (head_ ? tail_->next : head_) = p;
    tail_ = p;
  }
  parcel* pop_front() noexcept {
    auto* p = head_;
    head_ = p->next;
    p->next = nullptr;
    return p;
  }
  /// Puts all of `first`, in order, before what is here.
  void prepend(parcel_queue& first) noexcept {
    if (first.empty())
      return;
    first.tail_->next = head_;
    if (!head_)
      tail_ = first.tail_;
    head_ = std::exchange(first.head_, nullptr);
  }

private:
  parcel* head_ = nullptr;
  parcel* tail_ = nullptr;
};

/// The messages of one sender to one receiver that are on their way between nodes, in order. Only the first can arrive.
struct channel {
  std::uint64_t identity = 0;
  parcel_queue messages;
  platform::time_point last_due = {};
};

/// A participant: the test itself, an actor, a task, a serial lane, or a timer while it fires. What every message needs
/// comes first, as in `parcel`.
struct alignas(64) entity {
  std::uint64_t identity = 0;   ///< Of what made it: the same in every schedule.
  std::uint32_t index = 0;      ///< Where it is stored.
  std::uint32_t generation = 0; ///< Counts how often the storage was used.
  bool is_actor = false;
  bool awaits_start = false; ///< Launched, and not initialised yet: it handles nothing before.
  bool is_lane = false;
  bool is_port = false; ///< Where answers to a task arrive.
  bool is_running = false;
  bool is_internal = false;
  bool is_lost = false;       ///< Crashed: what is sent to it is lost.
  bool is_refusing = false;   ///< Crashed by itself: whoever waits for its answer is told.
  bool is_spared = false;     ///< Does not crash.
  bool is_door = false;       ///< It only stands for whoever is there when a message arrives: see `door_of`.
  bool has_ended = false;     ///< An actor that handles nothing any more.
  bool is_free = true;        ///< The storage stands for nobody.
  std::uint32_t node = 0;     ///< Where it lives; 0 for the node of the test.
  std::uint32_t inbound = 0;  ///< Messages to it that have been sent and not been handled.
  std::uint64_t history = 0;  ///< Hash of what happened here, in order.
  std::uint64_t awaits = 0;   ///< The number of the request whose response it handles before anything else.
  parcel* handling = nullptr; ///< Of its mail: whose handling is enabled.

  parcel_queue outbox; ///< Its effects within its node, in program order, not yet out.
  parcel_queue mail;
  parcel_queue urgent_mail;
  parcel_queue skipped; ///< Set aside until its behaviour may have changed.

  caf::actor_id actor_id = 0;
  std::uint64_t state = 0;     ///< Hash of the state that it exposes; 0 if it was not read or is not exposed.
  std::uint64_t last_type = 0; ///< Type of the message that it handled last. Kept only while states are read.
  parcel* held = nullptr;      ///< Of a task: its next step, waiting for the outbox to be empty.
  node_host* door_of = nullptr;
  std::string name;
  std::optional<actor_anchor> anchor; ///< Kept only where actors may crash.
};

/// Whose event is happening. The outermost frame is the test itself.
struct event_frame {
  entity* who;
  std::uint64_t identity;
  std::uint32_t effects = 0;
  platform::lane lane;
  event_frame* outer = nullptr;
  std::uint64_t began = 0; ///< How many events had happened, itself included.
  std::uint64_t cause = 0; ///< Hash of what its effects follow from; 0 if that is not known.
  std::uint32_t questions = 0;
  std::uint32_t news = 0;  ///< Of those who have ended before, beside the effects.
  std::uint64_t asker = 0; ///< Because of which event it is asked what happens to what it sends; 0: of itself.
  bool is_crashed = false; ///< At its end the actor crashes: alone, or with its node.
  bool is_cut_off = false; ///< What it sends from now on is lost.
  fault_kind crash = fault_kind::crash;
};

/// A lane whose work runs one at a time: the foreground, or a dedicated one.
struct serial_lane {
  entity* place = nullptr;
  parcel_queue queued[priority_count];
  bool is_open = true;
  bool is_busy = false;
};

} // namespace troupe
