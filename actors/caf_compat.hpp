// What differs between CAF 0.17 and CAF 1 where it can be seen: versions, message types, and a few calls. The hosting
// differs too, in caf_runtime_0_17.cpp and caf_runtime_1.cpp. No other file asks for CAF's version.
#pragma once
#include <caf/config.hpp>

#if CAF_MAJOR_VERSION == 0 && CAF_VERSION >= 1705 && CAF_VERSION < 1800
#  define TROUPE_CAF_MAJOR 0
#elif CAF_MAJOR_VERSION == 1 && CAF_MINOR_VERSION <= 1
#  define TROUPE_CAF_MAJOR 1
#else
#  error "Troupe works with CAF 0.17.5, 0.17.6, 1.0 and 1.1; other versions differ in scheduler, clock and mailbox"
#endif

#include <caf/abstract_actor.hpp>
#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/error.hpp>
#include <caf/exit_reason.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_actor.hpp>
#include <caf/message.hpp>
#include <caf/send.hpp>
#include <string>
#include <type_traits>
#include <utility>
#if TROUPE_CAF_MAJOR == 0
#  include <caf/atom.hpp>
#  include <caf/execution_unit.hpp>
#  include <caf/meta/type_name.hpp>
#  include <caf/monitorable_actor.hpp>
#  include <caf/scheduled_actor.hpp>
#else
#  include <caf/anon_mail.hpp>
#  include <caf/init_global_meta_objects.hpp>
#  include <caf/scheduled_actor.hpp>
#  include <caf/scheduler.hpp>
#  include <caf/type_id.hpp>
#endif

// -- message types ------------------------------------------------------------
//
// CAF 1 wants a number for each type that is sent; CAF 0.17 wants none, and these macros are empty there. A block is
// written once, at file level, in the header of its types and before they are first sent:
//
//   TROUPE_BEGIN_MESSAGES(shop, caf::first_custom_type_id);
//   TROUPE_MESSAGE(shop, (shop::order));
//   TROUPE_END_MESSAGES(shop);
//
// The numbers of two blocks of one program must not overlap; 1000 to 1015 are Troupe's own. The types are made known
// to CAF before main().
//
// TROUPE_ATOM(name, "text") defines, in a namespace, a message without content: send `name{}`, handle `name`.
// TROUPE_ENUM(type) makes an enumeration sendable, and stands in its namespace.
#if TROUPE_CAF_MAJOR == 0
#  define TROUPE_BEGIN_MESSAGES(block, first_number) static_assert(true)
#  define TROUPE_MESSAGE(block, type_in_parentheses) static_assert(true)
#  define TROUPE_END_MESSAGES(block) static_assert(true)
#  define TROUPE_ATOM(name, text) using name = caf::atom_constant<caf::atom(text)>
#  define TROUPE_ENUM(type) static_assert(true)
#else
#  define TROUPE_BEGIN_MESSAGES(block, first_number)                                                                   \
    CAF_BEGIN_TYPE_ID_BLOCK(block, first_number)                                                                       \
    static_assert(true)
#  define TROUPE_MESSAGE(block, type_in_parentheses) CAF_ADD_TYPE_ID(block, type_in_parentheses) static_assert(true)
#  define TROUPE_END_MESSAGES(block)                                                                                   \
    CAF_END_TYPE_ID_BLOCK(block)                                                                                       \
    namespace troupe::detail {                                                                                         \
    inline const bool block##_messages = (caf::init_global_meta_objects<caf::id_block::block>(), true);                \
    }                                                                                                                  \
    static_assert(true)
#  define TROUPE_ATOM(name, text)                                                                                      \
    struct name {                                                                                                      \
      friend std::string to_string(name) { return "'" text "'"; }                                                      \
      template <class Inspector>                                                                                       \
      friend bool inspect(Inspector& f, name& x) {                                                                     \
        return f.object(x).fields();                                                                                   \
      }                                                                                                                \
    }
#  define TROUPE_ENUM(type)                                                                                            \
    template <class Inspector>                                                                                         \
    bool inspect(Inspector& f, type& x) {                                                                              \
      return troupe::inspect_enum(f, x);                                                                               \
    }                                                                                                                  \
    static_assert(true)
#endif

namespace troupe {

/// Threads that a hosted actor system starts by itself. CAF 1 has one, which runs no actor: it sleeps until the system
/// ends, or until a thread of a detached actor has to be joined.
inline constexpr int threads_of_caf = TROUPE_CAF_MAJOR == 0 ? 0 : 1;

#if TROUPE_CAF_MAJOR == 0
using caf_context = caf::execution_unit;
#else
/// What CAF passes on from the one who runs an actor to those that it wakes. May be null.
using caf_context = caf::scheduler;
#endif

/// One member of a message, for inspect_fields().
template <class T>
struct message_field {
  const char* name;
  T& value;
};
template <class T>
message_field(const char*, T&) -> message_field<T>;

/// The body of an `inspect` for an aggregate that is sent as a message: it is then printed as `name(first, second)`.
/// `return troupe::inspect_fields(f, x, "order", troupe::message_field{"sku", x.sku});`
template <class Inspector, class T, class... Fields>
auto inspect_fields(Inspector& f, [[maybe_unused]] T& x, const char* name, message_field<Fields>... fields) {
#if TROUPE_CAF_MAJOR == 0
  return f(caf::meta::type_name(name), fields.value...);
#else
  return f.object(x).pretty_name(name).fields(f.field(fields.name, fields.value)...);
#endif
}

#if TROUPE_CAF_MAJOR == 1
/// What TROUPE_ENUM defines: the enumeration as its number.
template <class Inspector, class Enum>
bool inspect_enum(Inspector& f, Enum& x) {
  using number = std::underlying_type_t<Enum>;
  return f.apply([&x] { return static_cast<number>(x); },
                 [&x](number read) {
                   x = static_cast<Enum>(read);
                   return true;
                 });
}
#endif

/// Sends without a sender.
template <class... Content>
void post(const caf::actor& receiver, Content&&... content) {
#if TROUPE_CAF_MAJOR == 0
  caf::anon_send(receiver, std::forward<Content>(content)...);
#else
  caf::anon_mail(std::forward<Content>(content)...).send(receiver);
#endif
}

/// Takes the content out of a message that was received.
inline caf::message take_content(caf::mailbox_element& mail) {
#if TROUPE_CAF_MAJOR == 0
  return mail.move_content_to_message();
#else
  return std::move(mail.payload);
#endif
}

/// Puts a message into an actor's mailbox, under the given id.
inline void enqueue(const caf::strong_actor_ptr& receiver, caf::strong_actor_ptr sender, caf::message_id id,
                    caf::message content) {
#if TROUPE_CAF_MAJOR == 0
  receiver->enqueue(std::move(sender), id, std::move(content), nullptr);
#else
  receiver->enqueue(caf::make_mailbox_element(std::move(sender), id, std::move(content)), nullptr);
#endif
}

/// Answers `mail` with an error, if it is a request.
inline void refuse(const caf::mailbox_element& mail, const caf::error& error) {
  if (mail.sender && mail.mid.is_request())
    enqueue(mail.sender, nullptr, mail.mid.response_id(), caf::make_message(error));
}

/// The error in words.
inline std::string render(caf::actor_system& system, const caf::error& error) {
#if TROUPE_CAF_MAJOR == 0
  return system.render(error);
#else
  static_cast<void>(system);
  return caf::to_string(error);
#endif
}

/// Whether an actor's end was an exit that somebody has asked for, and not an error of its own.
inline bool is_exit_reason(const caf::error& error) {
#if TROUPE_CAF_MAJOR == 0
  return error.category() == caf::atom("exit");
#else
  return error.category() == caf::type_id_v<caf::exit_reason>;
#endif
}

/// The state of a stateful_actor.
template <class Actor>
auto& state_of(Actor& self) {
#if TROUPE_CAF_MAJOR == 0
  return self.state;
#else
  return self.state();
#endif
}

/// Has `handler`, which takes a caf::exit_msg&, decide about requests to exit. On CAF 1 a kill never reaches it: the
/// actor ends.
template <class Handler>
void set_exit_handler(caf::scheduled_actor& self, Handler handler) {
#if TROUPE_CAF_MAJOR == 1
#  pragma GCC diagnostic push
#  pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#endif
  self.set_exit_handler(std::move(handler));
#if TROUPE_CAF_MAJOR == 1
#  pragma GCC diagnostic pop
#endif
}

/// An actor without a mailbox: `receive` is called inside of the send, on the sender's thread, by many at once.
#if TROUPE_CAF_MAJOR == 0
class direct_actor : public caf::monitorable_actor {
public:
  explicit direct_actor(caf::actor_config& config) : monitorable_actor(config) {}
  void enqueue(caf::mailbox_element_ptr mail, caf_context* context) final { receive(std::move(mail), context); }
#else
class direct_actor : public caf::abstract_actor {
public:
  explicit direct_actor(caf::actor_config& config) : abstract_actor(config) {}
  bool enqueue(caf::mailbox_element_ptr mail, caf_context* context) final {
    receive(std::move(mail), context);
    return true;
  }
  /// Part of CAF's make_actor: there is nothing to measure.
  void setup_metrics() noexcept {}

  /// So is this, of its end.
  void force_close_mailbox() final {}
#endif

  /// What a router has carried here (see `carried`) arrives.
  virtual void arrived(caf::mailbox_element_ptr mail) { receive(std::move(mail), nullptr); }

protected:
  virtual void receive(caf::mailbox_element_ptr mail, caf_context* context) = 0;
};

/// Makes an actor of the class `Actor`, which is a direct_actor. CAF does not count it as running.
template <class Actor, class... Arguments>
caf::strong_actor_ptr make_direct_actor(caf::actor_system& system, Arguments&&... arguments) {
#if TROUPE_CAF_MAJOR == 0
  caf::actor_config config{system.dummy_execution_unit()};
#else
  caf::actor_config config{&system.scheduler()};
#endif
  return caf::make_actor<Actor, caf::strong_actor_ptr>(system.next_actor_id(), system.node(), &system, config,
                                                       std::forward<Arguments>(arguments)...);
}

} // namespace troupe
