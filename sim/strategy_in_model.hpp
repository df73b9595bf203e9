// Another strategy, in an order model of its own.
#pragma once
#include "sim/decision.hpp"
#include <memory>

namespace troupe {

/// Passes everything on, and wants `model`.
class strategy_in_model final : public strategy {
public:
  /// `inner` must outlive it.
  strategy_in_model(strategy& inner, order_model model) noexcept : inner_(inner), model_(model) {}
  strategy_in_model(std::unique_ptr<strategy> inner, order_model model) noexcept
      : owned_(std::move(inner)), inner_(*owned_), model_(model) {}

  std::size_t pick(decision_kind kind, const candidates& among) override { return inner_.pick(kind, among); }
  std::optional<order_model> wanted_model() const noexcept override { return model_; }
  bool repeats_input() const noexcept override { return inner_.repeats_input(); }
  void begins(order_model model) override { inner_.begins(model); }
  bool wants_state() const noexcept override { return inner_.wants_state(); }
  void state_is(std::uint64_t hash) override { inner_.state_is(hash); }
  bool yields() const noexcept override { return inner_.yields(); }
  bool decides_faults() const noexcept override { return inner_.decides_faults(); }
  bool is_watching() const noexcept override { return inner_.is_watching(); }
  void enabled(const candidate& event) override { inner_.enabled(event); }
  void withdrawn(const candidate& event) override { inner_.withdrawn(event); }
  void happened(const candidate& event) override { inner_.happened(event); }
  void delivered(std::uint64_t place) override { inner_.delivered(place); }
  void touched(std::uint64_t place) override { inner_.touched(place); }
  void missed(std::uint64_t place) override { inner_.missed(place); }
  void spent(std::uint64_t key, std::uint64_t parent) override { inner_.spent(key, parent); }
  void time_passed() override { inner_.time_passed(); }
  void ended(const run_result& result) override { inner_.ended(result); }

private:
  std::unique_ptr<strategy> owned_;
  strategy& inner_;
  order_model model_;
};

} // namespace troupe
