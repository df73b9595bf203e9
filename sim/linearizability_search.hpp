// The search behind check_linearizability: one history, one model, no keys.
#pragma once
#include "sim/history.hpp"
#include "sim/random_source.hpp"
#include <algorithm>
#include <caf/deep_to_string.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::detail {

/// A set of small numbers with a hash that is kept up to date.
class hashed_set {
public:
  explicit hashed_set(std::size_t count) : words_((count + 63) / 64) {}
  void flip(std::size_t number) noexcept {
    words_[number / 64] ^= std::uint64_t{1} << number % 64;
    hash_ ^= mix(number + 1);
  }
  std::uint64_t hash() const noexcept { return hash_; }
  bool operator==(const hashed_set& other) const noexcept { return words_ == other.words_; }

private:
  std::vector<std::uint64_t> words_;
  std::uint64_t hash_ = 0;
};

/// Merges orders that are each possible into one that is, too. `span(index)` is when an operation was asked and when
/// answered.
std::vector<std::size_t> merged_orders(const std::vector<std::vector<std::size_t>>& orders,
                                       const std::function<std::pair<std::uint64_t, std::uint64_t>(std::size_t)>& span);

/// Puts operations in order, one after the other: any that was asked before the first answer of those not in order yet
/// may be next, if the model gives its answer. What it has tried it does not try again (Lowe 2017): the same operations
/// in order, and the same state.
template <class Model, class Input, class Output>
class linearizability_search {
public:
  using state = decltype(std::declval<const Model&>().initial());
  using operations = std::vector<operation<Input, Output>>;

  linearizability_search(const Model& model, const operations& all, std::uint64_t steps_max)
      : model_(model), all_(all), steps_max_(steps_max), done_(all.size()), state_(model.initial()) {
    // A list of all requests and answers in order; an operation in order is taken out.
    std::vector<std::pair<std::uint64_t, std::size_t>> events;
    for (std::size_t i = 0; i < all.size(); ++i) {
      events.emplace_back(all[i].invoked, 2 * i + 1);
      if (all[i].output) {
        events.emplace_back(all[i].responded, 2 * i + 2);
        ++unanswered_for_;
      }
    }
    std::sort(events.begin(), events.end());
    next_.resize(2 * all.size() + 1, end);
    previous_.resize(2 * all.size() + 1, head);
    auto last = head;
    for (auto& [at, node] : events) {
      next_[last] = node;
      previous_[node] = last;
      last = node;
    }
  }

  /// @returns whether there is an order; nothing if the steps did not suffice
  std::optional<bool> run() {
    auto at = next_[head];
    while (unanswered_for_ > 0) {
      if (at != end && is_request(at)) {
        if (steps_ >= steps_max_)
          return std::nullopt;
        ++steps_;
        at = take(at / 2) ? next_[head] : next_[at];
        continue;
      }
      // The answer of an operation that is not in order yet: nothing asked later may come before it.
      if (order_.empty())
        return false;
      at = next_[give_back()];
    }
    return true;
  }

  /// Calls `with` for each answer that the model can give to the operation `which`, which must be unanswered.
  /// @returns false if the steps did not suffice for all
  template <class With>
  bool all_answers_of(std::size_t which, const With& with) {
    auto at = next_[head];
    while (true) {
      if (at != end && is_request(at)) {
        if (steps_ >= steps_max_)
          return false;
        ++steps_;
        if (at / 2 == which) {
          auto copy = state_;
          with(Output(model_.apply(copy, all_[which].input)));
        }
        // It is of no use behind that operation: everything that is possible there is possible without it.
        at = at / 2 != which && take(at / 2) ? next_[head] : next_[at];
        continue;
      }
      if (order_.empty())
        return true;
      at = next_[give_back()];
    }
  }

  /// The operations in order.
  std::vector<std::size_t> order() const {
    std::vector<std::size_t> result;
    for (auto& each : order_)
      result.push_back(each.which);
    return result;
  }
  std::uint64_t steps() const noexcept { return steps_; }

private:
  static constexpr std::size_t head = 0;
  static constexpr std::size_t end = static_cast<std::size_t>(-1);
  struct taken {
    std::size_t which;
    state before;
  };
  struct tried {
    hashed_set done;
    state reached;
  };

  static bool is_request(std::size_t node) noexcept { return node % 2 == 1; }

  static std::uint64_t hash_of(const Model& model, const state& of) {
    if constexpr (requires {
                    { model.hash(of) } -> std::convertible_to<std::uint64_t>;
                  })
      return model.hash(of);
    else if constexpr (requires {
                         { std::hash<state>{}(of) } -> std::convertible_to<std::size_t>;
                       })
      return mix(std::hash<state>{}(of));
    else
      return hash_of_text(caf::deep_to_string(of));
  }

  void unlink(std::size_t node) noexcept {
    next_[previous_[node]] = next_[node];
    if (next_[node] != end)
      previous_[next_[node]] = previous_[node];
  }
  void relink(std::size_t node) noexcept {
    next_[previous_[node]] = node;
    if (next_[node] != end)
      previous_[next_[node]] = node;
  }

  /// Puts the operation next in order. @returns false if it cannot be, or if that was tried before
  bool take(std::size_t which) {
    auto reached = state_;
    const auto& asked = all_[which];
    const Output answer = model_.apply(reached, asked.input);
    if (asked.output && !(answer == *asked.output))
      return false;
    done_.flip(which);
    auto [from, to] = tried_.equal_range(mix(done_.hash(), hash_of(model_, reached)));
    for (; from != to; ++from)
      if (from->second.done == done_ && from->second.reached == reached) {
        done_.flip(which);
        return false;
      }
    tried_.emplace(mix(done_.hash(), hash_of(model_, reached)), tried{done_, reached});
    order_.push_back({which, std::exchange(state_, std::move(reached))});
    unlink(2 * which + 1);
    if (asked.output) {
      unlink(2 * which + 2);
      --unanswered_for_;
    }
    return true;
  }

  /// Takes the last operation out of the order again. @returns its request
  std::size_t give_back() {
    auto last = std::move(order_.back());
    order_.pop_back();
    state_ = std::move(last.before);
    done_.flip(last.which);
    if (all_[last.which].output) {
      relink(2 * last.which + 2);
      ++unanswered_for_;
    }
    relink(2 * last.which + 1);
    return 2 * last.which + 1;
  }

  const Model& model_;
  const operations& all_;
  const std::uint64_t steps_max_;
  std::uint64_t steps_ = 0;
  std::vector<std::size_t> next_, previous_; // by node: 2i + 1 is the request of operation i, 2i + 2 its answer
  std::size_t unanswered_for_ = 0;           // answered operations that are not in order yet
  hashed_set done_;
  state state_;
  std::vector<taken> order_;
  std::unordered_multimap<std::uint64_t, tried> tried_;
};

template <class Model, class Input, class Output>
linearizability_search(const Model&, const std::vector<operation<Input, Output>>&, std::uint64_t)
    -> linearizability_search<Model, Input, Output>;

} // namespace troupe::detail
