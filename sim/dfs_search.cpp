// Depth-first search over decisions: every schedule once.
#include "sim/dfs_search.hpp"

namespace troupe {

/// Follows the path, then takes choice 0 and writes down where there were others.
class dfs_search::walker final : public strategy {
public:
  explicit walker(dfs_search& search) noexcept : search_(search) {}
  std::size_t pick(decision_kind, const candidates& among) override {
    auto& path = search_.path_;
    if (depth_ == path.size())
      path.push_back({0, among.size()});
    auto& now = path[depth_++];
    if (now.count != among.size())
      search_.diverged_ = true;
    return now.index < among.size() ? now.index : 0;
  }

private:
  dfs_search& search_;
  std::size_t depth_ = 0;
};

void dfs_search::advance() {
  while (!path_.empty() && path_.back().index + 1 == path_.back().count)
    path_.pop_back();
  if (!path_.empty())
    ++path_.back().index;
}

std::unique_ptr<strategy> dfs_search::next() {
  if (started_) {
    advance();
    if (path_.empty())
      return nullptr;
  }
  started_ = true;
  return std::make_unique<walker>(*this);
}

double dfs_search::covered() const noexcept {
  if (!started_)
    return 0;
  double share = 1, sum = 0;
  for (auto& each : path_) {
    share /= static_cast<double>(each.count);
    sum += share * static_cast<double>(each.index);
  }
  return sum + share; // the current path itself has been run
}

} // namespace troupe
