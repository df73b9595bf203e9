// What strategies have in common that stand around another one: all that they do not change goes through.
#pragma once
#include "sim/decision.hpp"

namespace troupe {

/// Passes every question and all news on to `inner`. A derived class overrides what it is there for, and calls the same
/// function of this class to go on.
class forwarding_strategy : public strategy {
public:
  std::size_t pick(decision_kind kind, const candidates& among) override { return inner_.pick(kind, among); }
  bool foresees(std::size_t count, std::span<std::size_t> next) const noexcept override {
    return inner_.foresees(count, next);
  }
  std::optional<order_model> wanted_model() const noexcept override { return inner_.wanted_model(); }
  bool repeats_input() const noexcept override { return inner_.repeats_input(); }
  bool decides_faults() const noexcept override { return inner_.decides_faults(); }
  void begins(order_model model) override { inner_.begins(model); }
  bool wants_state() const noexcept override { return inner_.wants_state(); }
  void state_is(std::uint64_t hash) override { inner_.state_is(hash); }
  bool yields() const noexcept override { return inner_.yields(); }
  bool is_watching() const noexcept override { return inner_.is_watching(); }
  void enabled(const candidate& event) override { inner_.enabled(event); }
  void withdrawn(const candidate& event) override { inner_.withdrawn(event); }
  void happened(const candidate& event) override { inner_.happened(event); }
  void delivered(std::uint64_t place, std::uint64_t message, bool is_urgent) override {
    inner_.delivered(place, message, is_urgent);
  }
  void touched(std::uint64_t place) override { inner_.touched(place); }
  void missed(std::uint64_t place) override { inner_.missed(place); }
  bool wants_lives() const noexcept override { return inner_.wants_lives(); }
  void attached(std::uint64_t place) override { inner_.attached(place); }
  void died(std::uint64_t place) override { inner_.died(place); }
  void touched_all() override { inner_.touched_all(); }
  void spent(std::uint64_t key, std::uint64_t parent) override { inner_.spent(key, parent); }
  bool has_enough() const noexcept override { return inner_.has_enough(); }
  void time_passed() override { inner_.time_passed(); }
  void ended(const run_result& result) override { inner_.ended(result); }

protected:
  /// `inner` must outlive it.
  explicit forwarding_strategy(strategy& inner) noexcept : inner_(inner) {}

private:
  strategy& inner_;
};

} // namespace troupe
