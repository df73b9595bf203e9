// Whether a recorded history could have come from a system that does one operation at a time.
#pragma once
#include "sim/history.hpp"
#include "sim/linearizability_search.hpp"
#include "sim/specification.hpp"
#include <algorithm>
#include <map>
#include <set>

namespace troupe {

/// What the check has shown.
enum class linearizability : std::uint8_t {
  linearizable,
  not_linearizable,
  unknown, ///< The search was given up at its bound.
};

struct linearizability_options {
  /// Applications of operations to the model, over the whole search, after which it is given up.
  std::uint64_t steps_max = 20'000'000;
};

struct linearizability_result {
  linearizability verdict = linearizability::linearizable;
  /// If linearizable: an order in which the operations may have taken effect, as indices. Unanswered ones that have not
  /// taken effect are missing.
  std::vector<std::size_t> order;
  /// If not: how many events (requests and answers, in order) of the history are linearizable. The next one is an
  /// answer that is not possible, that of `culprit`.
  std::uint64_t linearizable_prefix = 0;
  std::size_t culprit = 0;
  std::uint64_t steps = 0; ///< Applications of operations to the model.
  /// In one or more lines: for a history that is not linearizable the answer that is not possible, which ones would
  /// have been, and the operations that it is about.
  std::string text;
};

/// What a history is compared with: a system that does one operation at a time. `initial()` is its state before the
/// first, and `apply(state, input)` changes the state and returns the answer. States and answers are compared by `==`.
/// Optional members:
/// - `key(input)`, anything with an order: operations with different keys have nothing to do with each other, so that
///   the history of each key is checked alone, from `initial()` (P-compositionality; Herlihy and Wing 1990), which
///   makes the check much faster;
/// - `hash(state)`, if `std::hash` does not do and printing the state would be slow;
/// - `text(input)` and `text(output)`, if CAF cannot print them.
template <class Model, class Input, class Output>
concept sequential_model = requires(const Model& model, const Input& input) {
  { model.initial() } -> std::copy_constructible;
  requires requires(decltype(model.initial())& state, const Output& output) {
    { model.apply(state, input) == output } -> std::convertible_to<bool>;
    { state == state } -> std::convertible_to<bool>;
  };
};

namespace detail {

template <class Model, class T>
std::string operation_text(const Model& model, const T& value) {
  if constexpr (requires {
                  { model.text(value) } -> std::convertible_to<std::string>;
                })
    return model.text(value);
  else
    return caf::deep_to_string(value);
}

template <class Model, class Input, class Output>
std::string operation_text(const Model& model, const operation<Input, Output>& of) {
  return "client " + std::to_string(of.client) + ": " + operation_text(model, of.input) +
         (of.output ? " -> " + operation_text(model, *of.output) : ", not answered");
}

/// The operations of one key, as they were known after the first `events` events of the history.
template <class Input, class Output>
std::vector<operation<Input, Output>> known_after(const std::vector<operation<Input, Output>>& all,
                                                  const std::vector<std::size_t>& which, std::uint64_t events) {
  std::vector<operation<Input, Output>> known;
  for (auto index : which) {
    if (all[index].invoked >= events)
      continue;
    known.push_back(all[index]);
    if (known.back().responded >= events) {
      known.back().output.reset();
      known.back().responded = operation<Input, Output>::never;
    }
  }
  return known;
}

/// Finds the first answer that is not possible, and says what is around it.
template <class Model, class Input, class Output>
void explain(const Model& model, const std::vector<operation<Input, Output>>& all, const std::vector<std::size_t>& part,
             std::uint64_t steps_max, linearizability_result& result) {
  auto answers = part;
  std::erase_if(answers, [&](std::size_t index) { return !all[index].output; });
  std::sort(answers.begin(), answers.end(),
            [&](std::size_t a, std::size_t b) { return all[a].responded < all[b].responded; });
  // A prefix of a linearizable history is linearizable.
  std::size_t good = 0, bad = answers.size();
  while (bad - good > 1) {
    auto middle = good + (bad - good) / 2;
    auto known = known_after(all, part, all[answers[middle - 1]].responded + 1);
    linearizability_search search(model, known, steps_max);
    auto found = search.run();
    result.steps += search.steps();
    if (!found) { // between the two bounds then
      result.text =
          "not linearizable; where it goes wrong could not be told within " + std::to_string(steps_max) + " steps";
      return;
    }
    (*found ? good : bad) = middle;
  }
  result.culprit = answers[bad - 1];
  const auto& culprit = all[result.culprit];
  result.linearizable_prefix = culprit.responded;
  result.text = "not linearizable: after " + std::to_string(culprit.responded) +
                " events, all in order, this answer is not possible:\n  " + operation_text(model, culprit);
  auto known = known_after(all, part, culprit.responded);
  std::size_t its_place = 0;
  while (known[its_place].invoked != culprit.invoked)
    ++its_place;
  constexpr std::size_t shown_max = 8;
  constexpr std::uint64_t steps_for_answers = 100'000;
  std::vector<Output> answers_met;
  linearizability_search search(model, known, std::min(steps_max, steps_for_answers));
  bool is_complete = search.all_answers_of(its_place, [&](Output output) {
    if (answers_met.size() <= shown_max &&
        std::find(answers_met.begin(), answers_met.end(), output) == answers_met.end())
      answers_met.push_back(std::move(output));
  });
  result.steps += search.steps();
  // Not each of them leaves an order for the others.
  std::set<std::string> possible;
  for (auto& each : answers_met) {
    known[its_place].output = each;
    known[its_place].responded = culprit.responded;
    linearizability_search again(model, known, std::min(steps_max, steps_for_answers));
    auto found = again.run();
    result.steps += again.steps();
    is_complete = is_complete && found;
    if (found && *found)
      possible.insert(operation_text(model, each));
  }
  if (!possible.empty() && answers_met.size() <= shown_max && is_complete) {
    result.text += "\npossible would have been:";
    for (auto& each : possible)
      result.text += " " + each;
  }
  std::string window;
  std::size_t shown = 0, open = 0;
  for (auto index = part.size(); index-- > 0;) {
    auto& other = all[part[index]];
    if (part[index] == result.culprit || other.invoked > culprit.responded)
      continue;
    const bool concurrent = other.responded > culprit.invoked;
    if (!concurrent && shown >= shown_max)
      continue;
    ++(concurrent ? open : shown);
    if (open + shown <= 2 * shown_max)
      window = "\n  " + operation_text(model, other) + (concurrent ? " (at the same time)" : "") + window;
  }
  if (!window.empty())
    result.text += "\nafter, among others:" + window;
}

} // namespace detail

/// Whether the operations can have taken effect one at a time, each between its request and its answer, such that
/// `model` gives every answer that was given. The search is that of Wing and Gong (1993) with the memory of Lowe
/// (Testing for Linearizability, 2017). @returns an order that shows it, or the first answer that is not possible, or
/// `unknown` if that took more steps than allowed (the problem is NP-complete)
template <class Model, class Input, class Output>
requires sequential_model<Model, Input, Output>
    linearizability_result check_linearizability(const Model& model, const std::vector<operation<Input, Output>>& all,
                                                 const linearizability_options& options = {}) {
  linearizability_result result;
  std::vector<std::vector<std::size_t>> parts;
  if constexpr (requires(const Input& input) { model.key(input); }) {
    std::map<std::decay_t<decltype(model.key(std::declval<const Input&>()))>, std::vector<std::size_t>> by_key;
    for (std::size_t i = 0; i < all.size(); ++i)
      by_key[model.key(all[i].input)].push_back(i);
    for (auto& [key, part] : by_key)
      parts.push_back(std::move(part));
  } else if (!all.empty()) {
    parts.emplace_back(all.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      parts[0][i] = i;
  }
  std::vector<std::vector<std::size_t>> orders;
  std::vector<linearizability_result> bad; // the one that goes wrong first
  for (auto& part : parts) {
    auto known = detail::known_after(all, part, operation<Input, Output>::never);
    detail::linearizability_search search(model, known, options.steps_max - std::min(options.steps_max, result.steps));
    const auto found = search.run();
    result.steps += search.steps();
    if (!found) {
      // Another part may show that it is not, all the same.
      result.verdict = linearizability::unknown;
      continue;
    }
    if (!*found) {
      linearizability_result explained;
      detail::explain(model, all, part, options.steps_max, explained);
      result.steps += explained.steps;
      if (bad.empty() || explained.linearizable_prefix < bad[0].linearizable_prefix)
        bad = {std::move(explained)};
      continue;
    }
    auto& order = orders.emplace_back();
    for (auto index : search.order())
      order.push_back(part[index]);
  }
  if (!bad.empty()) {
    bad[0].verdict = linearizability::not_linearizable;
    bad[0].steps = result.steps;
    return bad[0];
  }
  if (result.verdict == linearizability::unknown) {
    result.text = "not known to be linearizable or not: the search was given up after " + std::to_string(result.steps) +
                  " steps; raise steps_max, or give the model a key";
    return result;
  }
  result.order = detail::merged_orders(orders, [&](std::size_t index) {
    return std::pair{all[index].invoked, all[index].responded};
  });
  result.text = "linearizable";
  return result;
}

/// The same for what a history has recorded so far.
template <class Model, class Input, class Output>
linearizability_result check_linearizability(const Model& model, const history<Input, Output>& recorded,
                                             const linearizability_options& options = {}) {
  return check_linearizability(model, recorded.operations(), options);
}

/// Ends a simulated run as failed if the history is not linearizable, or if that could not be told. @returns whether
/// it is. @throws std::logic_error outside of a simulated run, if it is not
template <class Model, class Input, class Output>
bool check_linearizable(const Model& model, const history<Input, Output>& recorded,
                        const linearizability_options& options = {}) {
  auto result = check_linearizability(model, recorded, options);
  return check(result.verdict == linearizability::linearizable, result.text);
}

} // namespace troupe
