// Delta debugging: a small part of a list for which something still holds (Zeller and Hildebrandt 2002).
#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

namespace troupe {

/// The shortest prefix of `all` for which `holds`, if every longer one holds, too; `all` itself is taken to.
template <class T, class Holds>
std::vector<T> shortest_prefix(std::vector<T> all, const Holds& holds) {
  std::size_t without = 0, with = all.size();
  while (with - without > 1) {
    const auto middle = without + (with - without) / 2;
    (holds(std::vector<T>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(middle))) ? with : without) = middle;
  }
  all.resize(with);
  return all;
}

/// Part `i` of `parts`, or everything else.
template <class T>
std::vector<T> slice_of(const std::vector<T>& all, std::size_t i, std::size_t parts, bool is_part) {
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(all.size() * i / parts);
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(all.size() * (i + 1) / parts);
  if (is_part)
    return {begin, end};
  std::vector<T> rest(all.begin(), begin);
  rest.insert(rest.end(), end, all.end());
  return rest;
}

/// ddmin: a part of `all`, for which it holds, from which no single element can be left out; larger if `is_over` says
/// that there is no time for that.
template <class T, class Holds, class IsOver>
std::vector<T> minimised(std::vector<T> all, const Holds& holds, const IsOver& is_over) {
  std::size_t parts = 2;
  while (all.size() >= 2 && !is_over()) {
    parts = std::min(parts, all.size());
    bool is_reduced = false;
    // A part alone first: that is the larger step.
    for (std::size_t i = 0; i < parts && !is_reduced; ++i)
      if (auto part = slice_of(all, i, parts, true); part.size() < all.size() && holds(part)) {
        all = std::move(part);
        parts = 2;
        is_reduced = true;
      }
    for (std::size_t i = 0; i < parts && !is_reduced && parts > 2; ++i)
      if (auto rest = slice_of(all, i, parts, false); holds(rest)) {
        all = std::move(rest);
        --parts;
        is_reduced = true;
      }
    if (is_reduced)
      continue;
    if (parts == all.size())
      break;
    parts *= 2;
  }
  return all;
}

} // namespace troupe
