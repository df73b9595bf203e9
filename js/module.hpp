// A program for JavaScript: the tasks that it can spawn by name, and what each of its systems has.
#pragma once
#include "actors/async.hpp"
#include "js/promise.hpp"
#include "sessions/system.hpp"
#include <functional>
#include <memory>
#include <string>

namespace troupe::js {

/// What a task that JavaScript has spawned gets.
struct invocation {
  std::string arguments; ///< JSON text, as given to `spawn`; "null" for none.
  troupe::system* system = nullptr;
  std::shared_ptr<void> state; ///< What the program's `set_up` made for this system; may be null.

  /// The state, which is a `T`.
  template <class T>
  T& of() const noexcept {
    return *static_cast<T*>(state.get());
  }
};

/// The work of a named task: returns its result as JSON text. What it throws rejects the promise and is the session's
/// to deal with.
using named_work = std::function<async<std::string>(invocation)>;

/// Lets JavaScript spawn `work` by a name. For objects of static storage, or before the first request.
/// The text of a name is that of the module: adding one twice is a bug, and asserts.
struct named_task {
  named_task(std::string name, named_work work);
};

/// Called for each system that JavaScript creates, with its `config` as JSON text. What it returns is kept until the
/// system's sessions have closed, and given to each task. What it throws comes out of `createSystem`.
using set_up = std::function<std::shared_ptr<void>(troupe::system&, const std::string& config)>;

/// Sets that up; the last one counts. For objects of static storage, or before the first request.
struct application {
  explicit application(set_up make);
};

} // namespace troupe::js
