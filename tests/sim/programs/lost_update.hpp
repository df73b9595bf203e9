// A bug whose explanation is known, amid actors that have nothing to do with it.
#pragma once
#include "sim/specification.hpp"
#include "tests/sim/programs/oversell.hpp"
#include <set>
#include <string>

namespace troupe::testing {

inline std::string name_end(const caf::actor& actor) { return "#" + std::to_string(actor.id()); }

/// Two clients read a number and write it back, one higher. The cell fails when one of the two updates is lost. Two
/// other actors talk to each other meanwhile; `others` gets the ends of their names.
inline void lose_an_update(simulator& sim, std::string& cell_name, std::set<std::string>& others, int rounds = 3) {
  auto gossip = [](caf::event_based_actor* self, int rounds) -> caf::behavior {
    return {[self, left = std::make_shared<int>(rounds)](read_atom, const caf::actor& other) {
      if (--*left >= 0)
        self->send(other, read_atom{}, caf::actor(self));
    }};
  };
  auto one = sim.caf().spawn(gossip, rounds), two = sim.caf().spawn(gossip, rounds);
  others = {name_end(one), name_end(two)};
  caf::anon_send(one, read_atom{}, two);
  auto cell = sim.caf().spawn([](caf::event_based_actor*) -> caf::behavior {
    auto value = std::make_shared<int>(0), writes = std::make_shared<int>(0);
    return {
        [value](read_atom) { return *value; },
        [value, writes](reserve_atom, int written) {
          *value = written;
          if (++*writes == 2 && *value != 2)
            fail("an update was lost");
        },
    };
  });
  cell_name = name_end(cell);
  for (int i = 0; i < 2; ++i)
    sim.caf().spawn([cell](caf::event_based_actor* self) {
      self->request(cell, caf::infinite, read_atom{}).then([self, cell](int value) {
        self->send(cell, reserve_atom{}, value + 1);
      });
    });
  sim.run_until_idle();
}

} // namespace troupe::testing
