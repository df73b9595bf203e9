// Promises of JavaScript's, awaited in C++ tasks.
#pragma once
#include "actors/async.hpp"
#include <stdexcept>
#include <string>
#include <utility>

namespace troupe::js {

/// Thrown by the co_await of a promise that was rejected, or whose function threw.
class error : public std::runtime_error {
public:
  error(std::string name, const std::string& message) : std::runtime_error(name + ": " + message), name_(name) {}
  /// The JavaScript error's own name: "TypeError", "TimeoutError", ...
  const std::string& name() const noexcept { return name_; }

private:
  std::string name_;
};

/// One promise, to be awaited once: `co_await` gives the value that it was fulfilled with, as JSON text (`undefined` is
/// "null"). Throws `error` if it is rejected, `task_cancelled` if the task is cancelled meanwhile. A promise cannot be
/// cancelled: whoever stops waiting aborts its `signal`, and what comes of it then is dropped. Move-only; the module's
/// only thread.
class [[nodiscard]] promise : public suspension<promise> {
public:
  /// A promise that JavaScript has handed over with `Module.troupeFace.hold(promise)`, which returns the number.
  /// @param what names it in reports; static storage
  explicit promise(int number, const char* what = "a promise") noexcept : number_(number), what_(what) {}
  promise(promise&& other) noexcept
      : suspension(std::move(other)), number_(std::exchange(other.number_, 0)), what_(other.what_),
        function_(std::move(other.function_)), arguments_(std::move(other.arguments_)), timeout_(other.timeout_),
        has_timeout_(other.has_timeout_) {}
  ~promise();

  /// Waits for at most `timeout` (on the dispatcher's clock), then throws an `error` named "TimeoutError".
  promise&& within(platform::duration timeout) && noexcept {
    timeout_ = timeout;
    has_timeout_ = true;
    return std::move(*this);
  }

  bool await_ready() const noexcept { return false; }
  wait_info why() const noexcept;
  void begin(task_base& task, std::uint64_t ticket);
  std::string await_resume();

private:
  friend promise call(const char* function, std::string arguments);
  int number_ = 0;
  const char* what_;
  std::string function_;
  std::string arguments_;
  platform::duration timeout_ = {};
  bool has_timeout_ = false;
  wake_timer timer_;
};

/// The promise of the function of that name, one of those that JavaScript gave to `createSystem`. It is called when the
/// promise is awaited, with `arguments` (JSON text) as a value and with an AbortSignal. If there is no such function,
/// or if it throws, the promise is rejected.
/// @param function static storage: it names the wait in reports
promise call(const char* function, std::string arguments = "null");

} // namespace troupe::js
