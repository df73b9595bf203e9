// A dictionary that several workers read and write; all that they write are increments.
//
// The mistake: an increment is a read and a write, in two messages. Of two workers that read the same value one
// overwrites what the other one has written. (The benchmark is ConcDict of Imam, Sarkar, "Savina: An Actor Benchmark
// Suite", AGERE 2014.)
#include "examples/protocols/protocols.hpp"
#include "sim/simulator.hpp"
#include <caf/all.hpp>
#include <map>
#include <string>
#include <vector>

namespace protocols {
namespace {

using key = std::string;
using read_atom = caf::atom_constant<caf::atom("read")>;
using write_atom = caf::atom_constant<caf::atom("write")>;
using increment_atom = caf::atom_constant<caf::atom("increment")>;
using done_atom = caf::atom_constant<caf::atom("done")>;

/// After n increments of a key its value is n.
struct increments : troupe::monitor {
  std::map<key, int> counts;
  void written(const key& where, int value) {
    const auto count = ++counts[where];
    troupe::check(value == count, "an increment is lost: \"" + where + "\" was incremented " + std::to_string(count) +
                                      " times and is " + std::to_string(value));
  }
};

struct dictionary_state {
  dictionary_state() = default;
  static inline const char* name = "dictionary";
  std::map<key, int> values;
};

caf::behavior dictionary(caf::stateful_actor<dictionary_state>* self) {
  const auto write = [self](const key& where, int value) {
    self->state.values[where] = value;
    troupe::observe<increments>().written(where, value);
  };
  return {
      [=](read_atom, const key& where) { return self->state.values[where]; },
      [=](write_atom, const key& where, int value) {
        write(where, value);
        return done_atom::value;
      },
      [=](increment_atom, const key& where) {
        write(where, self->state.values[where] + 1);
        return done_atom::value;
      },
  };
}

/// What a worker does, one after the other: it reads the key, or increments it.
struct operation {
  key where;
  bool is_increment = false;
};
using script = std::vector<operation>;

struct worker_state {
  worker_state() = default;
  static inline const char* name = "worker";
  std::size_t next = 0;
};

void work(caf::stateful_actor<worker_state>* self, const caf::actor& shared, const script& todo, variant which) {
  if (self->state.next == todo.size())
    return;
  const auto& [where, is_increment] = todo[self->state.next++];
  const auto go_on = [=] { work(self, shared, todo, which); };
  if (!is_increment)
    self->request(shared, caf::infinite, read_atom::value, where).then([=](int) { go_on(); });
  else if (which == variant::fixed)
    self->request(shared, caf::infinite, increment_atom::value, where).then([=](done_atom) { go_on(); });
  else // The mistake: the value may be another one by the time of the write.
    self->request(shared, caf::infinite, read_atom::value, where).then([=, where = where](int value) {
      self->request(shared, caf::infinite, write_atom::value, where, value + 1).then([=](done_atom) { go_on(); });
    });
}

void share_a_dictionary(troupe::simulator& sim, variant which) {
  const auto shared = sim.caf().spawn(dictionary);
  sim.caf().spawn(work, shared, script{{"a", true}, {"b", false}}, which);
  sim.caf().spawn(work, shared, script{{"b", false}, {"c", false}, {"a", true}}, which);
  sim.run_until_idle();
}

} // namespace

void add_concurrent_dictionary(troupe::scenario_set& scenarios) {
  add_variants(scenarios, "concurrent-dictionary", "an increment is a read and a write, in two messages",
               share_a_dictionary);
}

} // namespace protocols
