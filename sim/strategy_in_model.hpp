// Another strategy, in an order model of its own.
#pragma once
#include "sim/forwarding_strategy.hpp"
#include <memory>

namespace troupe {

/// Passes everything on, and wants `model`.
class strategy_in_model final : public forwarding_strategy {
public:
  /// `inner` must outlive it.
  strategy_in_model(strategy& inner, order_model model) noexcept : forwarding_strategy(inner), model_(model) {}
  strategy_in_model(std::unique_ptr<strategy> inner, order_model model) noexcept
      : forwarding_strategy(*inner), owned_(std::move(inner)), model_(model) {}

  std::optional<order_model> wanted_model() const noexcept override { return model_; }

private:
  std::unique_ptr<strategy> owned_;
  order_model model_;
};

} // namespace troupe
