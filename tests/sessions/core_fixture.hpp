// A session's state machine driven by hand: fake tasks, a clock that only moves when told, effects as words.
#pragma once
#include "sessions/session_core.hpp"
#include <doctest/doctest.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace troupe::test {
using namespace std::chrono_literals;

/// A task that settles when the test says so.
class fake_task final : public task_record {
public:
  explicit fake_task(task_kind kind, const char* label = "", task_id spawned_by = {}) {
    this->kind = kind;
    name = label;
    where = source_location::current();
    executor_name = "background";
    parent = spawned_by;
  }
  ~fake_task() { CHECK(references == 0); }

  /// How it reacts to cancellation.
  enum reaction { ends, ignores } on_cancel = ends;
  bool leaves_late_result = false;
  task_state now = task_state::running;
  wait_info wait;
  int cancels = 0, forced = 0, references = 0;
  close_cause seen_cause = close_cause::none;
  task_owner* owner = nullptr;

  std::error_code admit_to(session_core& core) {
    auto refused = core.admit(*this);
    if (!refused)
      owner = &core;
    return refused;
  }
  void settle(task_state how, std::exception_ptr error = nullptr) {
    now = how;
    CHECK(owner->settled(*this, how, error));
  }
  void finish() { settle(task_state::done_ok); }
  void fail(const char* what) { settle(task_state::done_error, std::make_exception_ptr(std::runtime_error{what})); }

  task_state state() const noexcept override { return now; }
  wait_info waiting() const noexcept override { return wait; }
  time_point last_event() const noexcept override { return spawned_at; }
  void request_cancel(close_cause cause, bool force) noexcept override {
    ++cancels;
    forced += force;
    seen_cause = cause;
    if (on_cancel == ends && !is_terminal(now) && (force || kind != task_kind::wait_until))
      settle(task_state::done_cancelled);
  }
  void abandon() noexcept override {
    if (!is_terminal(now))
      settle(task_state::abandoned);
  }
  void add_ref() noexcept override { ++references; }
  void release() noexcept override { --references; }
};

class watched_core final : public session_core {
public:
  using session_core::session_core;
  int wakes = 0;
  std::vector<std::string> logged;
  std::vector<std::uint32_t> released_late;

protected:
  void wake() noexcept override { ++wakes; }
  void log(const std::string& line) noexcept override { logged.push_back(line); }
  void late_release(const std::vector<std::uint32_t>& numbers) noexcept override { released_late = numbers; }
};

/// One session and what its supervisor would do.
class driver {
public:
  explicit driver(session_options options = {}, driver* parent = nullptr, time_point start = {}) : now(start) {
    std::optional<time_point> deadline;
    if (options.deadline)
      deadline = now + *options.deadline;
    auto* raw = new watched_core{session_id{parent ? 2u : 1u}, options, deadline, parent ? parent->core.get() : nullptr,
                                 source_location::current(),   now};
    core = counted<watched_core>{raw};
    raw->release();
  }

  /// Lets the state machine decide, and does what it wants done. Returns the effects that are the supervisor's own.
  std::vector<std::string> turn() {
    std::vector<std::string> words;
    int wakes_before;
    do {
      wakes_before = core->wakes;
      effects fx;
      core->advance(now, fx);
      for (auto& effect : fx) {
        if (effect.kind == effect::set_timer)
          timer = effect.due;
        auto word = std::string{to_string(effect.kind)};
        if (effect.number)
          word += " " + std::to_string(effect.number);
        if (effect.kind != effect::set_timer && !core->carry_out(effect, now))
          words.push_back(word);
      }
    } while (core->wakes != wakes_before);
    return words;
  }
  /// Moves the clock to the timer and lets it fire.
  std::vector<std::string> turn_at_timer() {
    REQUIRE(timer != time_point::max());
    now = std::max(now, timer);
    return turn();
  }
  cleanup_report report() const { return core->report(now); }

  time_point now;
  time_point timer = time_point::max();
  counted<watched_core> core;
};

using words = std::vector<std::string>;

} // namespace troupe::test
