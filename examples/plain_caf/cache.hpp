// A program of plain CAF, written without a thought of Troupe: a store, a cache in front of it, and who writes.
#pragma once
#include <caf/all.hpp>
#include <optional>

namespace plain_caf {

using get_atom = caf::atom_constant<caf::atom("get")>;
using put_atom = caf::atom_constant<caf::atom("put")>;
using forget_atom = caf::atom_constant<caf::atom("forget")>;

struct store_state {
  static inline const char* name = "store";
  int value = 1;
};

inline caf::behavior store(caf::stateful_actor<store_state>* self) {
  return {
      [self](get_atom) { return self->state.value; },
      [self](put_atom, int value) { self->state.value = value; },
  };
}

struct cache_state {
  static inline const char* name = "cache";
  std::optional<int> kept;
  int forgotten = 0; ///< Times that it was told to forget.
};

enum class variant { buggy, fixed };

/// Answers from memory if it can. The bug: a value that was on its way when the cache was told to forget is kept.
inline caf::behavior cache(caf::stateful_actor<cache_state>* self, const caf::actor& behind, variant which) {
  return {
      [self, behind, which](get_atom) -> caf::result<int> {
        if (self->state.kept)
          return *self->state.kept;
        auto answer = self->make_response_promise<int>();
        const auto asked_at = self->state.forgotten;
        self->request(behind, caf::infinite, get_atom::value).then([self, which, answer, asked_at](int value) mutable {
          if (which == variant::buggy || asked_at == self->state.forgotten)
            self->state.kept = value;
          answer.deliver(value);
        });
        return answer;
      },
      [self](forget_atom) {
        self->state.kept.reset();
        ++self->state.forgotten;
      },
  };
}

/// Replaces the value, and the cache's memory of the old one.
inline void write(const caf::actor& store, const caf::actor& cache, int value) {
  caf::anon_send(store, put_atom::value, value);
  caf::anon_send(cache, forget_atom::value);
}

} // namespace plain_caf
