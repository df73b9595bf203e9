// An end for runs that may be endless.
#pragma once
#include "sim/forwarding_strategy.hpp"

namespace troupe {

/// Has a run end that goes beyond a number of events: it may be endless.
class bounded_strategy final : public forwarding_strategy {
public:
  bounded_strategy(strategy& inner, std::uint64_t most) noexcept : forwarding_strategy(inner), left_(most) {}
  bool is_watching() const noexcept override { return true; }
  void happened(const candidate& event) override {
    left_ -= left_ == 0 ? 0 : 1;
    forwarding_strategy::happened(event);
  }
  bool has_enough() const noexcept override { return left_ == 0; }

private:
  std::uint64_t left_;
};

} // namespace troupe
