// The check that a program does the same when the same is decided.
#include "sim/determinism.hpp"
#include "sim/chart.hpp"
#include "sim/names.hpp"
#include "sim/tape_strategy.hpp"
#include <algorithm>

namespace troupe {
namespace {

std::string described(const std::vector<trace_entry>& trace, std::size_t index) {
  return index < trace.size() ? trace_line(trace[index]) : "(nothing: the run ended)";
}

} // namespace

std::string first_difference(const std::vector<trace_entry>& a, const std::vector<trace_entry>& b) {
  const auto is_same = [](const trace_entry& x, const trace_entry& y) {
    return x.identity == y.identity && x.kind == y.kind && x.to == y.to && x.what == y.what && x.time == y.time;
  };
  const auto at = static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin(),
                    is_same)
          .first -
      a.begin());
  if (at == a.size() && at == b.size())
    return {};
  return "first difference at event " + std::to_string(at + 1) + ":\n  first run:  " + described(a, at) +
         "\n  second run: " + described(b, at);
}

run_result run_twice(const runner& run, std::uint64_t seed, strategy& order) {
  auto first = run(seed, order, true);
  tape_strategy replay(first.decisions, first.model);
  auto second = run(seed, replay, true);
  if (second.trace_hash == first.trace_hash && second.end == first.end && replay.followed_exactly())
    return first;
  auto difference = first_difference(first.trace, second.trace);
  if (difference.empty())
    difference = std::string("the events are the same, but the first run ended as ") + to_string(first.end) +
                 ", the second as " + to_string(second.end);
  second.end = verdict::nondeterminism;
  second.message = "the same decisions led to another run: the program depends on something that the simulator does "
                   "not control\n" +
                   difference;
  return second;
}

} // namespace troupe
