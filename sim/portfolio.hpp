// The default: strategies taking turns, since no single one finds everything.
#pragma once
#include "sim/runner.hpp"

namespace troupe {

/// One schedule of each member in turn. Besides `model` members use order models that are subsets of it (`local` and
/// `atomic`): schedules with fewer decisions, in which deep bugs are met sooner.
strategy_factory make_portfolio(const runner& run, order_model model);

} // namespace troupe
