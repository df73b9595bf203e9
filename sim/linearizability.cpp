// What the check of histories does without knowing the model.
#include "sim/linearizability_search.hpp"
#include <limits>

namespace troupe {

std::vector<std::size_t>
detail::merged_orders(const std::vector<std::vector<std::size_t>>& orders,
                      const std::function<std::pair<std::uint64_t, std::uint64_t>(std::size_t)>& span) {
  std::size_t left = 0;
  for (auto& each : orders)
    left += each.size();
  // For each order and place in it: the first answer of what is still to come.
  std::vector<std::vector<std::uint64_t>> first_answer(orders.size());
  for (std::size_t o = 0; o < orders.size(); ++o) {
    first_answer[o].resize(orders[o].size() + 1, std::numeric_limits<std::uint64_t>::max());
    for (auto i = orders[o].size(); i-- > 0;)
      first_answer[o][i] = std::min(first_answer[o][i + 1], span(orders[o][i]).second);
  }
  std::vector<std::size_t> at(orders.size()), merged;
  for (; left > 0; --left) {
    std::uint64_t first = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t o = 0; o < orders.size(); ++o)
      first = std::min(first, first_answer[o][at[o]]);
    // There is one that was asked before anything left was answered (Herlihy and Wing 1990, theorem 1).
    for (std::size_t o = 0; o < orders.size(); ++o)
      if (at[o] < orders[o].size() && span(orders[o][at[o]]).first <= first) {
        merged.push_back(orders[o][at[o]++]);
        break;
      }
  }
  return merged;
}

} // namespace troupe
