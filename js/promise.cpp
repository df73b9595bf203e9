// What is known of each promise that a task holds, and the calls that JavaScript settles it with.
#include "js/promise.hpp"
#include "js/glue.hpp"
#include <cstdlib>
#include <memory>
#include <unordered_map>

namespace troupe::js {
namespace {

struct entry {
  bool is_settled = false;
  bool is_fulfilled = false;
  std::string name; ///< Of the error.
  std::string text; ///< The value as JSON, or the error's message.
  task_base* task = nullptr;
  std::uint64_t ticket = 0;
};

std::unordered_map<int, entry>& entries() {
  static std::unordered_map<int, entry> all;
  return all;
}

entry* find(int number) {
  auto at = entries().find(number);
  return at == entries().end() ? nullptr : &at->second;
}

} // namespace

extern "C" EMSCRIPTEN_KEEPALIVE int troupe_promise_new() {
  static int last = 0;
  entries()[++last];
  return last;
}

/// @param name, text malloc'ed, and freed here; `name` is null for a value
extern "C" EMSCRIPTEN_KEEPALIVE void troupe_promise_settled(int number, char* name, char* text) {
  std::unique_ptr<char, decltype(&std::free)> first{name, &std::free}, second{text, &std::free};
  auto* known = find(number);
  if (!known)
    return; // Nobody waits any more.
  known->is_settled = true;
  known->is_fulfilled = !name;
  known->name = name ? name : "";
  known->text = text;
  if (auto* task = std::exchange(known->task, nullptr))
    task->wake(known->ticket);
}

promise::~promise() {
  if (!number_)
    return;
  if (auto* known = find(number_); known && !known->is_settled)
    troupe_js_abort(number_);
  entries().erase(number_);
}

wait_info promise::why() const noexcept {
  auto* task = task_base::current();
  wait_info info{.kind = wait_kind::custom, .has_due = has_timeout_, .what = what_};
  if (has_timeout_)
    info.due = task->sink().dispatcher().now() + timeout_;
  return info;
}

void promise::begin(task_base& task, std::uint64_t ticket) {
  if (!number_) {
    number_ = troupe_promise_new();
    troupe_js_call(number_, static_cast<int>(reinterpret_cast<std::intptr_t>(&task.sink().dispatcher())),
                   function_.c_str(), arguments_.c_str());
  }
  auto* known = find(number_);
  if (!known || known->is_settled) {
    task.wake(ticket);
    return;
  }
  known->task = &task;
  known->ticket = ticket;
  if (has_timeout_)
    timer_.start(task, ticket, timeout_);
}

std::string promise::await_resume() {
  timer_.cancel();
  auto* known = find(number_);
  if (known)
    known->task = nullptr;
  if (!known)
    throw error{"ReferenceError", "no promise has this number, or it was awaited before"};
  if (!known->is_settled) {
    throw_if_cancelled();
    throw error{"TimeoutError", std::string{what_} + " was not settled in time"};
  }
  const auto settled = std::move(*known);
  entries().erase(number_);
  number_ = 0;
  if (!settled.is_fulfilled)
    throw error{settled.name, settled.text};
  return settled.text;
}

promise call(const char* function, std::string arguments) {
  promise made{0, function};
  made.function_ = function;
  made.arguments_ = std::move(arguments);
  return made;
}

} // namespace troupe::js
