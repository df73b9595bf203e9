// How a task ended: a value, or why there is none.
#pragma once
#include "actors/errors.hpp"
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace troupe {

/// Stands for `void` where a value is needed.
struct unit {
  bool operator==(const unit&) const = default;
};

/// The end of a task as a value instead of an exception. `T` may be void.
template <class T>
class outcome {
public:
  using value_type = std::conditional_t<std::is_void_v<T>, unit, T>;

  static outcome of_value(value_type value) { return outcome{std::in_place_index<0>, std::move(value)}; }
  static outcome of_exception(std::exception_ptr error) { return outcome{std::in_place_index<1>, std::move(error)}; }
  static outcome of_cancellation(close_cause cause) { return outcome{std::in_place_index<2>, cause}; }
  static outcome of_error(std::error_code code) { return outcome{std::in_place_index<3>, code}; }

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  bool is_cancelled() const noexcept { return state_.index() == 2; }

  /// The value. @pre has_value()
  value_type& operator*() noexcept { return *std::get_if<0>(&state_); }
  const value_type& operator*() const noexcept { return *std::get_if<0>(&state_); }
  value_type* operator->() noexcept { return std::get_if<0>(&state_); }
  const value_type* operator->() const noexcept { return std::get_if<0>(&state_); }

  /// The exception that ended the task, or null if something else did.
  std::exception_ptr exception() const noexcept {
    auto* error = std::get_if<1>(&state_);
    return error ? *error : nullptr;
  }
  /// Why a cancelled task was cancelled; `none` if it was not.
  close_cause cause() const noexcept {
    auto* cause = std::get_if<2>(&state_);
    return cause ? *cause : close_cause::none;
  }
  /// `task_cancelled`, `task_rejected`, ..., or no error for a value and for an exception.
  std::error_code error() const noexcept {
    if (auto* code = std::get_if<3>(&state_))
      return *code;
    return is_cancelled() ? make_error_code(errc::task_cancelled) : std::error_code{};
  }
  /// One line saying how it ended, for logs.
  std::string describe() const {
    switch (state_.index()) {
    case 0:
      return "a value";
    case 1:
      return troupe::describe(exception());
    case 2:
      return std::string{"cancelled: "} + to_string(cause());
    default:
      return error().message();
    }
  }

  /// Moves the value out, or throws what stands for the failure. `id` names the task in a task_error.
  T take_or_throw(task_id id) {
    switch (state_.index()) {
    case 0:
      if constexpr (std::is_void_v<T>)
        return;
      else
        return std::move(*std::get_if<0>(&state_));
    case 1:
      std::rethrow_exception(*std::get_if<1>(&state_));
    case 2:
      throw task_cancelled{cause()};
    default:
      throw task_error{error(), id};
    }
  }

private:
  template <std::size_t I, class U>
  outcome(std::in_place_index_t<I> which, U&& value) : state_(which, std::forward<U>(value)) {}

  std::variant<value_type, std::exception_ptr, close_cause, std::error_code> state_;
};

} // namespace troupe
