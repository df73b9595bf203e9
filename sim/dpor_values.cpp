// What dpor answers to those who ask: faults, and what the program chooses.
#include "sim/dpor_walker.hpp"

namespace troupe {

void dpor_search::walker::spent(std::uint64_t key, std::uint64_t parent) {
  auto by = occurrences_.find(parent);
  if (!is_lost_ && by != occurrences_.end())
    answer(by->second, {mix(key), {key}});
}

std::size_t dpor_search::walker::give(decision_kind kind, const candidates& among) {
  auto first = among[0];
  auto key = kind == decision_kind::fault ? mix(first.identity) : mix(first.parent, ++questions_[first.parent]);
  auto by = occurrences_.find(first.parent);
  if (by == occurrences_.end())
    return give_test(among);
  auto wanted = answer(by->second, question(key, among));
  for (std::size_t i = 0; i < among.size(); ++i)
    if (among[i].identity == wanted)
      return i;
  lose();
  return 0;
}

std::uint64_t dpor_search::walker::answer(std::size_t asker, value&& asked_now) {
  const auto frame = present_;
  auto& now = search_.path_[frame];
  asked_now.asker = asker;
  auto& asked = now.current.asked;
  const auto next = asked.begin() + static_cast<std::ptrdiff_t>(now.answered);
  auto known = std::find_if(next, asked.end(), [&](auto& each) { return each.key == asked_now.key; });
  if (known != asked.end()) {
    // What was planned and is not asked for any more had no part in the plan.
    asked.erase(next, known);
  } else if (frame + 1 < replayed_) {
    lose();
    return 0;
  } else {
    skip_asleep(now, asked_now);
    asked.insert(next, std::move(asked_now));
  }
  asked[now.answered].asker = asker;
  return asked[now.answered++].answer();
}

dpor_search::value dpor_search::walker::question(std::uint64_t key, const candidates& among) {
  value result{key, {}};
  for (std::size_t i = 0; i < among.size(); ++i)
    result.offered.push_back(among[i].identity);
  return result;
}

void dpor_search::walker::skip_asleep(const frame& now, value& fresh) {
  std::vector<const values*> known;
  covers_all(now.sleep, now.current.id, &known);
  auto depth = now.answered;
  std::erase_if(known, [&](auto* each) {
    if (each->size() <= depth || (*each)[depth].key != fresh.key)
      return true;
    for (std::size_t i = 0; i < depth; ++i)
      if ((*each)[i].key != now.current.asked[i].key || (*each)[i].answer() != now.current.asked[i].answer())
        return true;
    return false;
  });
  for (; fresh.given < fresh.offered.size(); ++fresh.given) {
    auto same = known;
    std::erase_if(same, [&](auto* each) { return (*each)[depth].answer() != fresh.answer(); });
    if (!are_complete(same, depth + 1))
      return;
  }
  fresh.given = 0;
  ++search_.blocked_;
  is_lost_ = true;
}

std::size_t dpor_search::walker::give_test(const candidates& among) {
  if (depth_ == search_.path_.size()) {
    frame fresh;
    fresh.is_value = true;
    fresh.count = among.size();
    fresh.first = begin_below();
    search_.path_.push_back(std::move(fresh));
  }
  auto& now = search_.path_[depth_];
  if (!now.is_value || now.count != among.size()) {
    lose();
    return 0;
  }
  ++depth_;
  return now.index;
}

} // namespace troupe
