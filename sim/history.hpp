// A record of what clients asked of a system and what they were answered, in the order in which that happened.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// One operation of a history.
template <class Input, class Output>
struct operation {
  static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t client = 0;
  Input input;
  /// Nothing: it was not answered, and may have taken effect at any time since, or not at all.
  std::optional<Output> output = std::nullopt;
  /// When it was asked and when answered: positions in the history, from 0 on.
  std::uint64_t invoked = 0;
  std::uint64_t responded = never;
};

/// Records operations as they are asked and answered. In a simulated run events happen one after another, so the calls
/// come in the order of virtual time and steps: record an operation where the client sends its request, its response
/// where the client handles the reply. Thread safety: one thread; a simulated run is one.
template <class Input, class Output>
class history {
public:
  using operation_type = operation<Input, Output>;
  /// Names an operation of this history.
  using id = std::size_t;

  /// `client` asks for something. Several operations of one client may be open at once; they then are concurrent.
  id invoke(std::uint64_t client, Input input) {
    operations_.push_back({.client = client, .input = std::move(input), .invoked = events_++});
    return operations_.size() - 1;
  }

  /// The operation was answered. @throws std::logic_error if there is no such operation, or it was answered before
  void respond(id which, Output output) {
    auto& answered = open(which, "respond");
    answered.output = std::move(output);
    answered.responded = events_++;
  }

  /// It is certain that the operation has not taken effect: it is struck from the history. (One of which that is not
  /// certain, a timeout for example, stays unanswered.) @throws std::logic_error as `respond` does
  void had_no_effect(id which) { open(which, "had_no_effect").invoked = operation_type::never; }

  /// All operations but those without effect, in the order in which they were asked.
  std::vector<operation_type> operations() const {
    std::vector<operation_type> result;
    for (auto& each : operations_)
      if (each.invoked != operation_type::never)
        result.push_back(each);
    return result;
  }

private:
  operation_type& open(id which, const char* call) {
    if (which >= operations_.size() || operations_[which].output || operations_[which].invoked == operation_type::never)
      throw std::logic_error(std::string("history::") + call + ": operation " + std::to_string(which) +
                             (which >= operations_.size() ? " was never invoked" : " has been answered before"));
    return operations_[which];
  }

  std::vector<operation_type> operations_;
  std::uint64_t events_ = 0;
};

} // namespace troupe
