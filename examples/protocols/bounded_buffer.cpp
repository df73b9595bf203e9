// Producers and consumers, and the manager of the bounded buffer between them.
//
// A producer hands in an item, and the next one when the manager asks for more. A consumer asks for an item, and for
// the next one when it has got it. A producer whose item has filled the buffer is not asked for more: it is put on a
// list, and asked when there is room again.
//
// The mistake: it is not put on the list. So nobody ever asks it again, and its other items are never made. (The
// benchmark is ProdCons of Imam, Sarkar, "Savina: An Actor Benchmark Suite", AGERE 2014.)
#include "examples/protocols/protocols.hpp"
#include "sim/simulator.hpp"
#include <caf/all.hpp>
#include <deque>
#include <string>

namespace protocols {
namespace {

using put_atom = caf::atom_constant<caf::atom("put")>;
using more_atom = caf::atom_constant<caf::atom("more")>;
using ready_atom = caf::atom_constant<caf::atom("ready")>;
using take_atom = caf::atom_constant<caf::atom("take")>;

constexpr std::size_t capacity = 2;
constexpr int producers = 2;
constexpr int consumers = 2;
constexpr int items_each = 2;

/// All items are consumed some time.
struct consumption : troupe::monitor {
  static constexpr int all = producers * items_each;
  int consumed = 0;
  void begins() { become_hot(text()); }
  void consumes() {
    ++consumed;
    if (consumed == all)
      become_cold();
    else
      become_hot(text());
  }
  std::string text() const {
    return "all " + std::to_string(all) + " items are consumed; " + std::to_string(consumed) + " were";
  }
};

struct manager_state {
  manager_state() = default;
  static inline const char* name = "manager";
  std::deque<int> items;
  std::deque<caf::actor> waiting_producers;
  std::deque<caf::actor> waiting_consumers;
};

caf::behavior manager(caf::stateful_actor<manager_state>* self, variant which) {
  return {
      [=](put_atom, int item) {
        auto& [items, waiting_producers, waiting_consumers] = self->state;
        if (waiting_consumers.empty()) {
          items.push_back(item);
        } else {
          self->send(waiting_consumers.front(), take_atom::value, item);
          waiting_consumers.pop_front();
        }
        const auto producer = caf::actor_cast<caf::actor>(self->current_sender());
        if (items.size() < capacity)
          self->send(producer, more_atom::value);
        else if (which == variant::fixed) // The mistake: it is not put on the list.
          waiting_producers.push_back(producer);
      },
      [=](ready_atom) {
        auto& [items, waiting_producers, waiting_consumers] = self->state;
        const auto consumer = caf::actor_cast<caf::actor>(self->current_sender());
        if (items.empty()) {
          waiting_consumers.push_back(consumer);
          return;
        }
        self->send(consumer, take_atom::value, items.front());
        items.pop_front();
        if (!waiting_producers.empty()) {
          self->send(waiting_producers.front(), more_atom::value);
          waiting_producers.pop_front();
        }
      },
  };
}

struct producer_state {
  producer_state() = default;
  static inline const char* name = "producer";
  int produced = 0;
};

caf::behavior producer(caf::stateful_actor<producer_state>* self, const caf::actor& buffer) {
  const auto produce = [=] {
    if (self->state.produced < items_each)
      self->send(buffer, put_atom::value, ++self->state.produced);
  };
  produce();
  return {[=](more_atom) { produce(); }};
}

struct consumer_state {
  consumer_state() = default;
  static inline const char* name = "consumer";
};

caf::behavior consumer(caf::stateful_actor<consumer_state>* self, const caf::actor& buffer) {
  self->send(buffer, ready_atom::value);
  return {[=](take_atom, int) {
    troupe::observe<consumption>().consumes();
    self->send(buffer, ready_atom::value);
  }};
}

void produce_and_consume(troupe::simulator& sim, variant which) {
  troupe::observe<consumption>().begins();
  const auto buffer = sim.caf().spawn(manager, which);
  for (int i = 0; i < consumers; ++i)
    sim.caf().spawn(consumer, buffer);
  for (int i = 0; i < producers; ++i)
    sim.caf().spawn(producer, buffer);
  sim.run_until_idle();
}

} // namespace

void add_bounded_buffer(troupe::scenario_set& scenarios) {
  add_variants(scenarios, "bounded-buffer", "a producer that has filled the buffer is not queued again",
               produce_and_consume);
}

} // namespace protocols
