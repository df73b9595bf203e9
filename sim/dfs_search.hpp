// Depth-first search over decisions: every schedule once.
#pragma once
#include "sim/decision.hpp"
#include <memory>
#include <vector>

namespace troupe {

/// The state of a depth-first search: which alternatives of the current path have been tried. Copies nothing of the
/// program: each schedule runs it from scratch.
class dfs_search {
public:
  /// The strategy of the next schedule, or null when all have been run. The one before must have ended.
  std::unique_ptr<strategy> next();
  /// True once a schedule had another number of alternatives than before: the program depends on something else.
  bool proves_nothing() const noexcept { return diverged_; }
  /// How much of the tree has been covered, in [0, 1]: each alternative of a decision counts as the same share of what
  /// lies below it. 1 if and only if complete.
  double covered() const noexcept;

private:
  class walker;
  struct node {
    std::size_t index;
    std::size_t count;
  };
  std::vector<node> path_;
  bool started_ = false;
  bool diverged_ = false;
  void advance();
};

} // namespace troupe
