// Sleep and wakeup: a process waits for a condition that another one brings about, as kernels do it, with a lock that
// keeps looking at the condition and changing it apart.
//
// The sleeper takes the lock and looks. If the condition does not hold yet it puts itself on the list of those who
// sleep, and gives the lock back. The waker takes the lock, makes the condition true, wakes those on the list, and
// gives the lock back.
//
// The mistake: the sleeper gives the lock back first, and then puts itself on the list. A wakeup in between finds
// nobody to wake, and none comes after it. (Known since there are kernels; see Pike, Presotto, Thompson, Holzmann,
// "Process Sleep and Wakeup on a Shared-memory Multiprocessor", 1991.)
#include "examples/protocols/protocols.hpp"
#include "sim/simulator.hpp"
#include <caf/all.hpp>
#include <deque>
#include <vector>

namespace protocols {
namespace {

using acquire_atom = caf::atom_constant<caf::atom("acquire")>;
using granted_atom = caf::atom_constant<caf::atom("granted")>;
using release_atom = caf::atom_constant<caf::atom("release")>;
using released_atom = caf::atom_constant<caf::atom("released")>;
using look_atom = caf::atom_constant<caf::atom("look")>;
using set_atom = caf::atom_constant<caf::atom("set")>;
using sleep_atom = caf::atom_constant<caf::atom("sleep")>;
using listed_atom = caf::atom_constant<caf::atom("listed")>;
using wakeup_atom = caf::atom_constant<caf::atom("wakeup")>;
using wake_atom = caf::atom_constant<caf::atom("wake")>;
using ok_atom = caf::atom_constant<caf::atom("ok")>;

/// Whoever has begun to wait is woken some time.
struct wakeups : troupe::monitor {
  void waits() { become_hot("the sleeper goes on, since its condition holds"); }
  void goes_on() { become_cold(); }
};

struct lock_state {
  lock_state() = default;
  static inline const char* name = "lock";
  bool is_held = false;
  std::deque<caf::typed_response_promise<granted_atom>> waiting;
};

/// Is held by one at a time; others are granted it in the order in which they asked.
caf::behavior lock(caf::stateful_actor<lock_state>* self) {
  return {
      [self](acquire_atom) {
        auto promise = self->make_response_promise<granted_atom>();
        if (self->state.is_held)
          self->state.waiting.push_back(promise);
        else
          promise.deliver(granted_atom::value);
        self->state.is_held = true;
        return promise;
      },
      [self](release_atom) {
        auto& waiting = self->state.waiting;
        self->state.is_held = !waiting.empty();
        if (self->state.is_held) {
          waiting.front().deliver(granted_atom::value);
          waiting.pop_front();
        }
        return released_atom::value;
      },
  };
}

struct rendezvous_state {
  rendezvous_state() = default;
  static inline const char* name = "rendezvous";
  bool is_set = false;
  std::vector<caf::actor> sleepers;
};

/// The condition, and the list of those who sleep until it holds. It may be touched by who holds the lock.
caf::behavior rendezvous(caf::stateful_actor<rendezvous_state>* self) {
  return {
      [self](look_atom) { return self->state.is_set; },
      [self](set_atom) {
        self->state.is_set = true;
        return ok_atom::value;
      },
      [self](sleep_atom) {
        self->state.sleepers.push_back(caf::actor_cast<caf::actor>(self->current_sender()));
        return listed_atom::value;
      },
      [self](wakeup_atom) {
        for (const auto& each : self->state.sleepers)
          self->send(each, wake_atom::value);
        self->state.sleepers.clear();
      },
  };
}

struct sleeper_state {
  static inline const char* name = "sleeper";
};

caf::behavior sleeper(caf::stateful_actor<sleeper_state>* self, const caf::actor& guard, const caf::actor& shared,
                      variant which) {
  troupe::observe<wakeups>().waits();
  self->request(guard, caf::infinite, acquire_atom::value).then([=](granted_atom) {
    self->request(shared, caf::infinite, look_atom::value).then([=](bool is_set) {
      if (is_set) {
        troupe::observe<wakeups>().goes_on();
        self->send(guard, release_atom::value);
      } else if (which == variant::buggy) {
        // The mistake: a wakeup may come in between, and finds nobody on the list.
        self->request(guard, caf::infinite, release_atom::value).then([=](released_atom) {
          self->send(shared, sleep_atom::value);
        });
      } else {
        self->request(shared, caf::infinite, sleep_atom::value).then([=](listed_atom) {
          self->send(guard, release_atom::value);
        });
      }
    });
  });
  return {
      [](wake_atom) { troupe::observe<wakeups>().goes_on(); },
      [](listed_atom) {},
      [](released_atom) {},
  };
}

struct waker_state {
  static inline const char* name = "waker";
};

caf::behavior waker(caf::stateful_actor<waker_state>* self, const caf::actor& guard, const caf::actor& shared) {
  self->request(guard, caf::infinite, acquire_atom::value).then([=](granted_atom) {
    self->request(shared, caf::infinite, set_atom::value).then([=](ok_atom) {
      self->send(shared, wakeup_atom::value);
      self->send(guard, release_atom::value);
    });
  });
  return {[](released_atom) {}};
}

void sleep_and_wake(troupe::simulator& sim, variant which) {
  const auto guard = sim.caf().spawn(lock);
  const auto shared = sim.caf().spawn(rendezvous);
  sim.caf().spawn(sleeper, guard, shared, which);
  sim.caf().spawn(waker, guard, shared);
  sim.run_until_idle();
}

} // namespace

void add_lost_wakeup(troupe::scenario_set& scenarios) {
  add_variants(scenarios, "lost-wakeup", "a sleeper gives the lock back before it is on the list of those to wake",
               sleep_and_wake);
}

} // namespace protocols
